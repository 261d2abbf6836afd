import { freshMemory, rememberInstalled, type SeenMemory } from '@bascule/trust/client/memory.ts'
import { targetPathFrom } from '@bascule/trust/tuf/names.ts'
import type { AgentState, JournalRecord } from '#/journal/state.ts'
import type { Job } from '#/engine/job.ts'

/** What this device has seen. The number of its newest assignment stands in the journal anyhow. */
export function memoryOf({ authority, seenGeneration, seenTime }: MemoryState): SeenMemory {
  const memory = authority ?? freshMemory(Temporal.Instant.from(seenTime))
  return { ...memory, assignmentVersion: Math.max(memory.assignmentVersion, seenGeneration) }
}

type MemoryState = Pick<AgentState, 'authority' | 'seenGeneration' | 'seenTime'>

/** The latest time that is certainly past. */
export function latestSeen(state: MemoryState): string {
  const { notBefore } = memoryOf(state)
  return Date.parse(notBefore) > Date.parse(state.seenTime) ? notBefore : state.seenTime
}

/** The record of a memory, when it says more than the one that is kept; the time alone is written once an hour. */
export function memoryRecords(state: MemoryState, memory: SeenMemory): JournalRecord[] {
  const before = memoryOf(state)
  const isSame = JSON.stringify({ ...before, notBefore: '' }) === JSON.stringify({ ...memory, notBefore: '' })
  const passedMs = Date.parse(memory.notBefore) - Date.parse(before.notBefore)
  return state.authority && isSame && passedMs < 3_600_000 ? [] : [{ t: 'authority', memory }]
}

/** Counters that were once installed are never gone below, whatever is removed afterwards. */
export function recordsAfterInstall(state: AgentState, job: Job, counter: number): JournalRecord[] {
  const at = targetPathFrom(job.path ?? '')
  if (!at || job.action !== 'install' || job.step !== 'committed') return []
  const before = memoryOf(state)
  const memory = rememberInstalled(before, `${at.board}/${at.line}`, { counter, release: job.release })
  return memory === before ? [] : [{ t: 'authority', memory }]
}
