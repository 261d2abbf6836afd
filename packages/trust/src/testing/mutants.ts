import { authorisationChecks } from '#/client/authorisation-checks.ts'
import { memoryChecks } from '#/client/memory-checks.ts'
import { metadataChecks } from '#/client/metadata-checks.ts'
import type { Attack } from './attack.ts'
import { attacks } from './attacks.ts'
import { type Checks, ask, textOf } from './scenario.ts'
import { honestWorld } from './world.ts'

/** A device from which one check was taken. */
export interface Mutant {
  readonly name: string
  readonly checks: Checks
}

/** One device per check of the three lists. */
export const mutants: readonly Mutant[] = [
  ...metadataChecks.map(({ name }) => ({ name, checks: { metadata: without(metadataChecks, name) } })),
  ...memoryChecks.map(({ name }) => ({ name, checks: { memory: without(memoryChecks, name) } })),
  ...authorisationChecks.map(({ name }) => ({ name, checks: { authorisation: without(authorisationChecks, name) } })),
]

const world = honestWorld()

/** The attack that such a device answers in another way than with the expected refusal; undefined when it survives. */
export async function killerOf({ name, checks }: Mutant): Promise<Attack | undefined> {
  const likely = attacks.filter(({ rule }) => rule === name)
  for (const attack of [...likely, ...attacks.filter(({ rule }) => rule !== name)]) {
    const answer = await ask(await attack.arrange(world), checks)
    if (textOf(answer) !== `${attack.code} ${attack.rule}`) return attack
  }
  return undefined
}

function without<Check extends { readonly name: string }>(checks: readonly Check[], name: string): Check[] {
  return checks.filter((one) => one.name !== name)
}
