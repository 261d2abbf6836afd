import { expect, test } from 'vitest'
import { attacks } from '#/testing/attacks.ts'
import { ask, textOf } from '#/testing/scenario.ts'
import { honestWorld } from '#/testing/world.ts'

const world = honestWorld()

test.each(attacks)('$name: $code', async ({ code, rule, arrange }) => {
  const answer = await ask(await arrange(world))
  expect(textOf(answer), answer.ok ? '' : answer.refusal.fact).toBe(`${code} ${rule}`)
  if (answer.ok) return
  const { fact, lifter, next } = answer.refusal
  expect([fact, lifter, next].every((sentence) => sentence.length > 0)).toBe(true)
})
