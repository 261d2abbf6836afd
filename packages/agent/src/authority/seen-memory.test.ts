import { freshMemory } from '@bascule/trust/client/memory.ts'
import { expect, test } from 'vitest'
import { applyRecord, emptyState, type AgentState, type Identity } from '#/journal/state.ts'
import { latestSeen, memoryOf, memoryRecords } from './seen-memory.ts'

const builtAt = Temporal.Instant.from('2026-01-01T00:00:00Z')

test('a journal from before devices asked the boards is read on: no root, nothing seen but the newest order', () => {
  const { authority: _none, ...old } = { ...emptyState, seenGeneration: 9, seenTime: '2026-02-01T00:00:00Z' }
  const identity = { server: 'https://bascule.example', deviceId: 'd', name: 'kiosk' } as Identity
  const state = applyRecord(emptyState, { t: 'snapshot', state: { ...old, identity } as AgentState })
  expect(state.identity?.root).toBeUndefined()
  expect(state.authority).toBeNull()
  expect(memoryOf(state)).toMatchObject({ assignmentVersion: 9, roles: {}, notBefore: '2026-02-01T00:00:00Z' })
})

test('what was seen is written when it says more, and its time alone once an hour', () => {
  const memory = { ...freshMemory(builtAt), roles: { targets: 1 } }
  expect(memoryRecords(emptyState, memory)).toHaveLength(1)
  const state = applyRecord(emptyState, { t: 'authority', memory })
  expect(memoryOf(state)).toEqual(memory)
  expect(memoryRecords(state, { ...memory, notBefore: '2026-01-01T00:59:00Z' })).toEqual([])
  expect(memoryRecords(state, { ...memory, notBefore: '2026-01-01T01:00:00Z' })).toHaveLength(1)
  expect(memoryRecords(state, { ...memory, timestampVersion: 2 })).toHaveLength(1)
})

test('the clock of a device never runs behind what it has verified', () => {
  const memory = freshMemory(builtAt)
  expect(latestSeen(applyRecord(emptyState, { t: 'authority', memory }))).toBe('2026-01-01T00:00:00Z')
  const later = { ...emptyState, seenTime: '2026-05-01T00:00:00Z' }
  expect(latestSeen(applyRecord(later, { t: 'authority', memory }))).toBe('2026-05-01T00:00:00Z')
})
