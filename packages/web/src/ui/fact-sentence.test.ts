import { expect, test } from 'vitest'
import { factSentence, type FactWords } from './fact-sentence.ts'

const ines = { kind: 'person', name: 'Ines Marek' }

function fact(change: Partial<FactWords>): FactWords {
  return { actor: ines, did: '', subject: { kind: 'x', id: '1' }, before: null, after: null, ...change }
}

test('a fact says who did what to what, and why', () => {
  const paused = fact({ did: 'rollout.paused', after: { reason: 'Printers stop.' } })
  expect(factSentence(paused)).toBe('Ines Marek paused the rollout. Printers stop.')
  const uploaded = fact({ did: 'package-version.uploaded', after: { name: 'page-builder', version: '0.28.2' } })
  expect(factSentence(uploaded)).toBe('Ines Marek uploaded package page-builder 0.28.2')
})

test('a phase is called by its number and name', () => {
  const opened = fact({
    actor: { kind: 'system', name: 'Bascule' },
    did: 'phase.soaking',
    subject: { kind: 'phase', id: '7/2' },
    after: { name: 'Shops', because: '3 of 3 verified.' },
  })
  expect(factSentence(opened)).toBe('Phase 2 Shops soaks. 3 of 3 verified.')
})

test('an act that nobody has put into words is still said', () => {
  expect(factSentence(fact({ did: 'till-model.merged', after: { name: 'T1' } }))).toBe(
    'Ines Marek merged till model T1',
  )
})

test('what a person does to a phase names the phase, although the fact is about the rollout', () => {
  const paused = fact({
    did: 'phase.paused',
    subject: { kind: 'rollout', id: '7' },
    after: { phase: 2, name: 'Shops', reason: 'It is Saturday.' },
  })
  expect(factSentence(paused)).toBe('Phase 2 Shops is paused by Ines Marek. It is Saturday.')
})

test('a back-out that was asked for is said as a person would', () => {
  const asked = fact({ did: 'rollout.back-out-asked', after: { reason: 'Printers stop.' } })
  expect(factSentence(asked)).toBe('Ines Marek asked for a back-out. Printers stop.')
})

test('a decision is told with its case: who asked, who signed, what came of it', () => {
  const about = (did: string, after: unknown = null) =>
    factSentence(fact({ did, subject: { kind: 'case', id: 'CASE-0007' }, after }))
  expect(about('case.opened', { board: 'shops', reason: 'The sale begins.' })).toBe(
    'Ines Marek asked the board shops CASE-0007. The sale begins.',
  )
  expect(about('case.signed', { title: 'Go' })).toBe('Ines Marek signed for CASE-0007')
  expect(about('case.no-go-said', { reason: 'Too early.' })).toBe('Ines Marek said no-go to CASE-0007. Too early.')
  expect(about('case.decided', { state: 'go' })).toBe('CASE-0007: Go')
})
