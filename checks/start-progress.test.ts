import { isOver, phaseLines, progressPrinter } from '#scripts/start/progress.ts'
import type { RolloutProgress } from '#scripts/start/progress.ts'
import { readOptions } from '#scripts/start/options.ts'
import { expect, test } from 'vitest'

function progress(verified: number, state = 'running'): RolloutProgress {
  const tally = { size: 2, verified, failures: 0, inFlight: 0 }
  const phases = [
    { order: 1, name: 'Pilot', state: 'open', tally },
    { order: 2, name: 'Designers', state: 'waiting', tally: { ...tally, verified: 0 } },
  ]
  return { state, next: '', phases }
}

function screen(isTTY: boolean) {
  const written: string[] = []
  return { isTTY, written, write: (text: string) => written.push(text) }
}

test('a phase is told in one line with its numbers', () => {
  expect(phaseLines(progress(1))[0]).toBe('Phase 1 Pilot      ████░░░░  1 of 2 verified (open)')
})

test('off a terminal only the lines that changed are printed', () => {
  const out = screen(false)
  const printer = progressPrinter(out)
  for (const verified of [0, 0, 1]) printer.show(progress(verified))
  expect(out.written.map((text) => text.trimEnd().split('\n').length)).toEqual([2, 1])
})

test('on a terminal the lines are rewritten in place', () => {
  const out = screen(true)
  const printer = progressPrinter(out)
  for (const verified of [0, 1]) printer.show(progress(verified))
  expect(out.written[1]?.startsWith('\u001B[2A')).toBe(true)
})

test('a rollout is over when no device will move any more', () => {
  expect([isOver(progress(2)), isOver(progress(2, 'paused')), isOver(progress(2, 'completed'))]).toEqual([
    false,
    false,
    true,
  ])
})

test('a start without options takes the demo, port 8080 and the data folder of the checkout', () => {
  expect(readOptions([])).toMatchObject({ demo: true, port: 8080 })
  expect(readOptions([]).dataFolder).toMatch(/[\\/]data$/)
  expect(readOptions(['--empty', '--port', '0', '--data', '/srv/b'])).toEqual({
    demo: false,
    port: 0,
    dataFolder: '/srv/b',
    soakSeconds: 30,
  })
})

test('a wrong option is answered with a sentence and the usage', () => {
  expect(() => readOptions(['--port', 'http'])).toThrow(/--port http is not a port[\s\S]*npm start/)
  expect(() => readOptions(['--prot', '1'])).toThrow(/'--prot'[\s\S]*npm start/)
})
