import { expect, test } from 'vitest'
import { type Attack, attacks } from '#/testing/attacks.ts'
import { type Checks, ask, textOf } from '#/testing/scenario.ts'
import { honestWorld } from '#/testing/world.ts'
import { authorisationChecks } from './authorisation-checks.ts'
import { memoryChecks } from './memory-checks.ts'
import { metadataChecks } from './metadata-checks.ts'

const world = honestWorld()

/** Every list with one check taken out. */
const mutants: { name: string; checks: Checks }[] = [
  ...metadataChecks.map(({ name }) => ({
    name,
    checks: { metadata: metadataChecks.filter((one) => one.name !== name) },
  })),
  ...memoryChecks.map(({ name }) => ({ name, checks: { memory: memoryChecks.filter((one) => one.name !== name) } })),
  ...authorisationChecks.map(({ name }) => ({
    name,
    checks: { authorisation: authorisationChecks.filter((one) => one.name !== name) },
  })),
]

test('no two checks have one name', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
})

test.each(mutants)('a device without the check $name is noticed', async ({ name, checks }) => {
  const likely = attacks.filter(({ rule }) => rule === name)
  const noticedBy = await firstNoticed([...likely, ...attacks.filter(({ rule }) => rule !== name)], checks)
  expect(noticedBy?.name ?? 'survived').not.toBe('survived')
})

/** The first attack that such a device answers in another way than with the refusal that is expected. */
async function firstNoticed(list: readonly Attack[], checks: Checks): Promise<Attack | undefined> {
  for (const attack of list) {
    const answer = await ask(await attack.arrange(world), checks)
    if (textOf(answer) !== `${attack.code} ${attack.rule}`) return attack
  }
  return undefined
}
