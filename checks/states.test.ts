import { releaseStates } from '@bascule/contract/plan/release.ts'
import { agentSteps, waitReasons } from '@bascule/domain/deliver/agent-step.ts'
import {
  jobActions,
  jobStateFromStep,
  jobStates,
  stateAfterReport,
  type JobState,
} from '@bascule/domain/deliver/job.ts'
import { phaseMoves, phasePath, rolloutMoves, rolloutPath } from '@bascule/domain/deliver/moves.ts'
import { phaseStates } from '@bascule/domain/deliver/phase.ts'
import { rolloutStates } from '@bascule/domain/deliver/rollout.ts'
import { releaseMoves, releasePath } from '@bascule/domain/plan/release-moves.ts'
import { expect, test } from 'vitest'
import { readTracked, trackedFiles } from './lib/tracked-files.ts'

interface Machine {
  readonly initial: string
  readonly terminal: readonly string[]
  readonly states: readonly string[]
  readonly transitions: readonly (readonly [string, string])[]
}

const machines = JSON.parse(readTracked('docs/formats/machines.json')) as Record<string, Machine>

/** Which list in the code tells the states of which machine. A machine without code yet is simply not here. */
const inCode: Record<string, readonly string[]> = {
  release: releaseStates,
  rollout: rolloutStates,
  phase: phaseStates,
  'deployment-job': jobStates,
}

test('every machine is whole: its states are reachable, and only terminal ones have no way out', () => {
  for (const [name, machine] of Object.entries(machines)) {
    const reached = new Set([machine.initial])
    for (let before = 0; before < reached.size;) {
      before = reached.size
      for (const [from, to] of machine.transitions) if (reached.has(from)) reached.add(to)
    }
    expect(
      machine.states.filter((state) => !reached.has(state)),
      `never reached in ${name}`,
    ).toEqual([])
    const stuck = machine.states.filter((state) => !machine.transitions.some(([from]) => from === state))
    expect(
      stuck.filter((state) => !machine.terminal.includes(state)),
      `stuck in ${name}`,
    ).toEqual([])
  }
})

test('the code knows only states of its machine', () => {
  for (const [name, states] of Object.entries(inCode)) {
    expect(
      states.filter((state) => !machines[name]?.states.includes(state)),
      name,
    ).toEqual([])
  }
})

test('the code makes exactly the moves of its machine', () => {
  type Moves = Readonly<Record<string, readonly string[]>>
  const tables: Record<string, Moves> = { release: releaseMoves, rollout: rolloutMoves, phase: phaseMoves }
  for (const [name, moves] of Object.entries(tables)) {
    const coded = Object.entries(moves).flatMap(([from, next]) => next.map((to) => `${from} -> ${to}`))
    const drawn = machines[name]?.transitions.map(([from, to]) => `${from} -> ${to}`) ?? []
    expect(new Set(coded), name).toEqual(new Set(drawn))
  }
})

test('what passes several states at once passes only along moves of its machine, and a terminal state is never left', () => {
  expect(phasePath('open', 'failed')).toEqual(['evaluating'])
  expect(phasePath('failed', 'open')).toEqual(['held'])
  expect(phasePath('backed-out', 'open')).toBeUndefined()
  expect(phasePath('waiting', 'backing-out')).toBeUndefined()
  expect(rolloutPath('paused', 'completed-with-residual')).toEqual(['running'])
  expect(rolloutPath('completed', 'running')).toBeUndefined()
  expect(releasePath('draft', 'rolling-out')).toEqual(['planned', 'building', 'testing', 'accepting', 'authorised'])
  expect(releasePath('closed', 'rolling-out')).toBeUndefined()
})

/** Everything that a device's report can make of a job, as a list of `from` and `to`. */
function movesByReport(): [JobState, JobState][] {
  const reported = new Set(
    jobActions.flatMap((action) =>
      agentSteps.flatMap((step) => [undefined, ...waitReasons].map((wait) => jobStateFromStep(action, step, wait))),
    ),
  )
  return jobStates.flatMap((from) =>
    [...reported].map((to): [JobState, JobState] => [from, stateAfterReport(from, to)]),
  )
}

test('no report makes a move of a job that its machine cannot make, however many steps of the device went unseen', () => {
  const machine = machines['deployment-job']
  const after = (from: string) => {
    const reached = new Set([from])
    for (let before = 0; before < reached.size;) {
      before = reached.size
      for (const [one, next] of machine?.transitions ?? []) if (reached.has(one)) reached.add(next)
    }
    return reached
  }
  const impossible = movesByReport().filter(([from, to]) => !after(from).has(to))
  expect(impossible).toEqual([])
})

/** Tables whose column `state` holds a state of a machine. */
const tables: Record<string, string> = { release: 'release', rollout: 'rollout', phase: 'phase', job: 'deployment-job' }

/** The words of `check (state in ('a', 'b'))` in the definition of a table. */
function checkedStates(sql: string, table: string): string[] {
  const definition = new RegExp(String.raw`create table ${table} \(([\s\S]*?)\n\)`, 'i').exec(sql)?.[1] ?? ''
  const listed = /\bstate\b[^,]*?check \(\s*state in \(([^)]*)\)/i.exec(definition)?.[1] ?? ''
  return Array.from(listed.matchAll(/'([^']+)'/g), ([, state]) => state ?? '')
}

test('a check constraint allows only states of its machine', () => {
  const sql = trackedFiles(/migrations\/.*\.sql$/)
    .map(readTracked)
    .join('\n')
  for (const [table, name] of Object.entries(tables)) {
    expect(
      checkedStates(sql, table).filter((state) => !machines[name]?.states.includes(state)),
      table,
    ).toEqual([])
  }
})
