import { canonicalise } from '#/canonical.ts'
import { plainSha256Hex } from '#/plain-sha256.ts'
import { isCode, pathPatternOf, roleNameFrom } from './names.ts'

/** A role as root or a delegation writes it. Nothing about it is believed yet. */
export interface ClaimedRole {
  readonly name: string
  readonly keyids: readonly unknown[]
  readonly threshold: unknown
}

/** What is wrong with a list of keys, in a sentence; undefined when nothing is. */
export type KeyProblem = string | undefined

/**
 * The id of every key is the hash of the key. TUF asks clients to compute it, and the widespread ones do not: then one
 * person who is listed under two names signs twice.
 */
export function problemOfKeyIds(keys: Readonly<Record<string, unknown>>): KeyProblem {
  for (const [id, key] of Object.entries(keys)) {
    const text = canonicalise(key)
    if (!text.ok || plainSha256Hex(text.value) !== id)
      return `The key id ${id.slice(0, 12)} is not the hash of its key.`
  }
  return undefined
}

/** No key stands there twice. One key in two encodings would be two ids, so there is one encoding: Ed25519 in hex. */
export function problemOfTwinKeys(keys: Readonly<Record<string, unknown>>): KeyProblem {
  const seen = new Set<string>()
  for (const [id, key] of Object.entries(keys)) {
    const publicKey = publicKeyOf(key)
    if (publicKey === undefined) return `The key ${id.slice(0, 12)} is not an Ed25519 key in 64 hex characters.`
    if (seen.has(publicKey)) return `The key ${id.slice(0, 12)} stands there under another id as well.`
    seen.add(publicKey)
  }
  return undefined
}

/** A threshold is reachable and more than nothing, and counts keys that are there, each once. */
export function problemOfThresholds(
  keys: Readonly<Record<string, unknown>>,
  roles: readonly ClaimedRole[],
): KeyProblem {
  for (const { name, keyids, threshold } of roles) {
    if (new Set(keyids).size !== keyids.length) return `The role ${name} lists a key twice.`
    const isKnown = (id: unknown) => typeof id === 'string' && Object.hasOwn(keys, id)
    if (!keyids.every(isKnown)) return `The role ${name} lists a key that is not there.`
    const isPossible = Number.isSafeInteger(threshold) && Number(threshold) >= 1 && Number(threshold) <= keyids.length
    if (!isPossible) return `The role ${name} asks for ${String(threshold)} of ${keyids.length} keys.`
  }
  return undefined
}

/** A delegation as it comes from outside. */
export interface ClaimedDelegation extends ClaimedRole {
  readonly paths?: unknown
  readonly terminating?: unknown
  readonly 'x-min-level'?: unknown
  readonly 'x-levels'?: unknown
}

/**
 * A board delegates its own lines, emergencies and stops and nothing else; the custodians delegate the director and
 * boards. The pattern of a role follows from its name, so no delegation can claim the paths of another one.
 */
export function problemOfDelegations(delegator: string, roles: readonly ClaimedDelegation[]): KeyProblem {
  const names = roles.map(({ name }) => name)
  if (new Set(names).size !== names.length) return `${delegator} delegates a role twice.`
  for (const { name, paths, terminating } of roles) {
    const role = roleNameFrom(name)
    const pattern = role && pathPatternOf(role)
    if (role === undefined || pattern === undefined || !mayDelegate(delegator, name)) {
      return `${delegator} must not delegate the role ${JSON.stringify(name)}.`
    }
    if (terminating !== true) return `The delegation of ${name} does not end the search.`
    if (!Array.isArray(paths) || paths.length !== 1 || paths[0] !== pattern) {
      return `The role ${name} may list ${pattern} and nothing else.`
    }
  }
  return undefined
}

/** Where a role demands a way of keeping keys, every key of it says that it is kept so. */
export function problemOfLevels(roles: readonly ClaimedDelegation[]): KeyProblem {
  for (const { name, keyids, 'x-min-level': least, 'x-levels': levels } of roles) {
    if (least === undefined) continue
    const claimed = typeof levels === 'object' && levels !== null ? (levels as Record<string, unknown>) : {}
    const weak = keyids.find((id) => !(levelOf(claimed, id) >= Number(least)))
    if (weak !== undefined)
      return `The role ${name} asks for level ${Number(least)}; the key ${JSON.stringify(weak).slice(1, 13)} has less.`
  }
  return undefined
}

function levelOf(levels: Record<string, unknown>, id: unknown): number {
  return typeof id === 'string' && Object.hasOwn(levels, id) ? Number(levels[id]) : 0
}

/** Whether a role of this name may stand in the delegations of this one. */
export function mayDelegate(delegator: string, name: string): boolean {
  const role = roleNameFrom(name)
  if (delegator === 'targets') return role?.kind === 'director' || role?.kind === 'board'
  if (!isCode(delegator) || role === undefined || role.kind === 'board') return false
  return 'board' in role && role.board === delegator
}

function publicKeyOf(key: unknown): string | undefined {
  const { keytype, scheme, keyval } = (key ?? {}) as {
    keytype?: unknown
    scheme?: unknown
    keyval?: { public?: unknown }
  }
  const isEd25519 = keytype === 'ed25519' && scheme === 'ed25519'
  const text = keyval?.public
  return isEd25519 && typeof text === 'string' && /^[0-9a-f]{64}$/.test(text) ? text : undefined
}
