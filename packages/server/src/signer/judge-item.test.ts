import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { judgeItem } from './judge-item.ts'
import { SignItem } from './protocol.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00Z')
const target = {
  path: 'point-of-sale/normal/4.2.0.json',
  lengthBytes: 900,
  sha256: 'a'.repeat(64),
  custom: {
    job: '17',
    action: 'install',
    release: '4.2.0',
    productLine: 'point-of-sale',
    rollout: 3,
    phase: 1,
    verifyLevel: 4,
    activation: 'current',
    attributes: { roles: [] },
  },
} satisfies SignItem['targets'][number]

function item(over: Partial<SignItem> = {}): SignItem {
  const whole = { device: 'd'.repeat(64), generation: 5, expires: '2026-11-30T08:00:00Z', targets: [target], ...over }
  return SignItem.parse(whole)
}

function codeOf(asked: SignItem, last?: { generation: number; sha256: string }): string {
  const answer = judgeItem(asked, last, now)
  return answer.ok ? (answer.value.isRepeat ? 'repeat' : 'signed') : answer.error.code
}

test('the first assignment of a device is signed', () => {
  expect(codeOf(item())).toBe('signed')
})

test('only a generation above the last one is signed, and the very same content again', () => {
  const first = judgeItem(item(), undefined, now)
  const last = { generation: 5, sha256: first.ok ? first.value.sha256 : '' }
  expect(codeOf(item({ generation: 6 }), last)).toBe('signed')
  expect(codeOf(item(), last)).toBe('repeat')
  expect(codeOf(item({ targets: [] }), last)).toBe('generation-used')
  expect(codeOf(item({ generation: 4 }), last)).toBe('generation-used')
})

test('a generation that is used says which one is free', () => {
  expect(judgeItem(item(), { generation: 9, sha256: '' }, now)).toMatchObject({ error: { lastGeneration: 9 } })
})

test('whatever is asked, what is signed never falls', () => {
  const generations = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 30 })
  fc.assert(
    fc.property(generations, (asked) => {
      let last: { generation: number; sha256: string } | undefined
      for (const generation of asked) {
        const answer = judgeItem(item({ generation }), last, now)
        if (!answer.ok) continue
        expect(answer.value.signed.version).toBeGreaterThanOrEqual(last?.generation ?? 1)
        last = { generation, sha256: answer.value.sha256 }
      }
    }),
  )
})

test.each<[string, Partial<SignItem>, string]>([
  ['a second more than a week', { expires: '2026-11-30T08:00:01Z' }, 'lifetime'],
  ['already over', { expires: '2026-11-23T08:00:00Z' }, 'expired'],
  ['the same release twice', { targets: [target, target] }, 'path-twice'],
])('%s is refused', (_name, over, code) => {
  expect(codeOf(item(over))).toBe(code)
})

test.each<[string, object]>([
  ['a path that is a name of every object', { targets: [{ ...target, path: 'constructor' }] }],
  ['a path that climbs', { targets: [{ ...target, path: '../x' }] }],
  ['an expiry that is a word', { expires: 'never' }],
  ['a generation beyond every honest one', { generation: 2 ** 50 }],
  ['a field nobody agreed on', { delegations: {} }],
])('%s has not the agreed form', (_name, over) => {
  expect(SignItem.safeParse({ ...item(), ...over }).success).toBe(false)
})
