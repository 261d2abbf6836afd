import { expect, test } from 'vitest'
import { createFacts } from './facts.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00Z')
const release = { kind: 'release', id: 'r1' }

test('a rule asks for a fact by its name and gets value, sentence and time', async () => {
  const facts = createFacts()
  facts.factSource('backup.fresh', async (subject, at) => ({
    name: 'backup.fresh',
    value: true,
    sentence: `The backup before ${subject.id} succeeded.`,
    asOf: at,
  }))
  expect(await facts.ask('backup.fresh', release, now)).toMatchObject({ ok: true, value: { value: true, asOf: now } })
  expect(facts.names()).toEqual(['backup.fresh'])
})

test('an unknown fact is refused and never taken for true or false', async () => {
  expect(await createFacts().ask('moon.full', release, now)).toMatchObject({
    ok: false,
    error: { rule: 'fact-without-source' },
  })
})

test('two sources for one fact are a mistake', () => {
  const facts = createFacts()
  const source = () => Promise.reject(new Error('unused'))
  facts.factSource('a.b', source)
  expect(() => {
    facts.factSource('a.b', source)
  }).toThrow('a.b')
})
