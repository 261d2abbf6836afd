import type { AuthorityCode } from '#/client/refusal.ts'
import { type Envelope, signDocument } from '#/envelope.ts'
import type { KeyPair } from '#/keys.ts'
import { type Scenario, honestScenario, refresh } from '#/testing/scenario.ts'
import {
  type Forgery,
  type Release,
  type World,
  aRelease,
  aStop,
  anAssignment,
  anOrder,
  director,
  first,
  forgeInto,
  members,
  nextVersion,
  publishInto,
  rootQuorums,
  withTarget,
} from '#/testing/world.ts'
import { buildRoot } from '#/tuf/build.ts'
import type { DelegatingSigned, RoleSigned, RootSigned } from '#/tuf/documents.ts'
import type { AssignmentCustom } from '@bascule/contract/device/protocol.ts'

/** One way to make a device install what it must not, and the code and check that refuse it. */
export interface Attack {
  readonly name: string
  readonly code: AuthorityCode
  readonly rule: string
  readonly arrange: (world: World) => Scenario | Promise<Scenario>
}

export const third = aRelease({ counter: 3 })

/** The board allows to go back from the second release to the first. */
export function backOutWorld(world: World): World {
  const target = { ...first.target, custom: { ...first.target.custom, backoutFrom: ['REL-0002'] } }
  const change = (signed: RoleSigned) => withTarget(signed, first.path, target)
  return publishInto(world, { 'retail.pos': nextVersion<RoleSigned>(world, 'retail.pos', change, members) })
}

/** The same device later, with the cache and the memory of an honest refresh. */
export async function afterRefresh(scenario: Scenario): Promise<Scenario> {
  const cache = new Map(scenario.cache)
  const refreshed = await refresh({ ...scenario, cache })
  if (!refreshed.ok) throw new Error(`Refreshing honestly: ${refreshed.error.fact}`)
  return { ...scenario, cache, memory: refreshed.value.memory }
}

/** The next root, with the same keys. */
export function rootOf(
  world: World,
  version: number,
  signers: readonly KeyPair[],
  over: Partial<ReturnType<typeof rootQuorums>> = {},
): Envelope<RootSigned> {
  return signDocument(buildRoot({ version, at: world.at }, { ...rootQuorums(), ...over }), signers)
}

export function stopping(world: World, release: Release): Envelope<RoleSigned> {
  const [path, target] = aStop(release)
  return nextVersion<RoleSigned>(world, 'retail.stop', (signed) => withTarget(signed, path, target), members.slice(2))
}

export function attack(name: string, code: AuthorityCode, rule: string, arrange: Attack['arrange']): Attack {
  return { name, code, rule, arrange }
}

/** An attack that tuf-js refuses by itself: no check of ours may be needed for it. */
export function tuf(name: string, code: AuthorityCode, arrange: Attack['arrange']): Attack {
  return { name, code, rule: 'tuf-verifies', arrange }
}

/** The director orders this release. */
export function ordered(
  world: World,
  release: Release,
  over: Partial<Scenario> = {},
  order: Partial<AssignmentCustom> = {},
): Scenario {
  const assignment = signDocument(anAssignment(anOrder(release, order)), [director])
  return honestScenario(world, { assignment, manifestBytes: release.bytes, ...over })
}

/** The attacker's server publishes this role file of the line, and the director orders the release. */
export function released(
  world: World,
  release: Release,
  document: Envelope<RoleSigned>,
  order: Partial<AssignmentCustom> = {},
): Scenario {
  return ordered(world, release, { sources: [forgeInto(world, { 'retail.pos': document })] }, order)
}

export function served(world: World, role: string, document: Envelope<unknown>): Scenario {
  return honestScenario(world, { sources: [forgeInto(world, { [role]: document })] })
}

export type Keys = DelegatingSigned['delegations']['keys']

export type Roles = readonly { readonly name: string; readonly keyids: readonly string[] }[]

/** The next version of the board's file, signed by all members, with its keys and roles changed. */
export function delegating(
  world: World,
  change: (keys: Keys, roles: Roles) => readonly [object, readonly object[]],
): Envelope<DelegatingSigned> {
  return nextVersion<DelegatingSigned>(
    world,
    'retail',
    (signed) => {
      const [keys, roles] = change(signed.delegations.keys, signed.delegations.roles)
      return { ...signed, delegations: { keys, roles } }
    },
    members,
  )
}

export function lengthOf(role: string, length: number): Forgery['snapshot'] {
  return (signed) => {
    const entry = signed.meta[`${role}.json`]
    return { ...signed, meta: { ...signed.meta, [`${role}.json`]: { ...entry, length } } }
  }
}
