import { expect, test } from 'vitest'
import { killerOf, mutants } from '#/testing/mutants.ts'

test('no two checks have one name', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
})

test.each(mutants)('a device without the check $name is noticed', async (mutant) => {
  expect((await killerOf(mutant))?.name ?? 'survived').not.toBe('survived')
})
