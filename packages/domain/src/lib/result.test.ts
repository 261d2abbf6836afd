import { expect, test } from 'vitest'
import { assert, ok, refuse, unreachable } from './result.ts'

test('an answer is a value or a reason, never both', () => {
  expect(ok(3)).toEqual({ ok: true, value: 3 })
  expect(refuse('no')).toEqual({ ok: false, error: 'no' })
})

test('a broken assumption names what had to hold', () => {
  expect(() => {
    assert(false, 'a rollout has a phase')
  }).toThrow('a rollout has a phase')
  expect(() => unreachable('x' as never)).toThrow('"x"')
})
