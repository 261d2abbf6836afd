import type { Envelope, TrustedKeys } from '#/envelope.ts'
import { expiryFrom } from '#/expiry.ts'
import { signersOf } from '#/tuf/attach-signature.ts'
import type { SeenMemory } from './memory.ts'
import type { AuthorityRefusal } from './refusal.ts'
import type { TufClient, VerifiedMetadata } from './tuf-client.ts'

/** A role file that was verified up to the root. */
export interface VerifiedRole {
  readonly name: string
  readonly version: number
  readonly expires: string
  readonly signed: Readonly<Record<string, unknown>>
  /** Ids of the keys that signed and count. */
  readonly signers: readonly string[]
  readonly threshold: number
}

/** What the custodians and boards say, as far as this device needs it. A plain value that may be kept in memory. */
export interface VerifiedAuthority {
  readonly rootVersion: number
  readonly snapshotVersion: number
  readonly timestampVersion: number
  /** Whichever of root, timestamp, snapshot and targets ends first. */
  readonly freshUntil: string
  readonly director: TrustedKeys
  readonly roles: Readonly<Record<string, VerifiedRole>>
  /** Roles that are delegated and could not be verified, with the reason. Only installs that need them are refused. */
  readonly failures: Readonly<Record<string, AuthorityRefusal>>
  readonly memory: SeenMemory
}

/** What a client has verified, taken out of it as plain values. */
export function authorityOf(
  client: TufClient,
  failures: Record<string, AuthorityRefusal>,
  before: SeenMemory,
  at: Temporal.Instant,
): VerifiedAuthority {
  const { root, timestamp, snapshot } = client.trustedSet
  const roles = verifiedRolesOf(client)
  const top = [root, timestamp, snapshot, client.trustedSet.getRole('targets')]
  const ends = top.flatMap((document) => expiryFrom(signedOf(document)['expires']) ?? [])
  const freshUntil = ends.reduce((first, end) => (Temporal.Instant.compare(end, first) < 0 ? end : first))
  const versions = {
    rootVersion: root.signed.version,
    snapshotVersion: snapshot?.signed.version ?? 0,
    timestampVersion: timestamp?.signed.version ?? 0,
  }
  const memory: SeenMemory = {
    ...before,
    ...versions,
    roles: { ...before.roles, ...Object.fromEntries(Object.values(roles).map(({ name, version }) => [name, version])) },
    onlineKeys: onlineKeysOf(root),
    notBefore: newestOf(before, at, [...Object.values(roles).map(({ signed }) => signed), root.signed.toJSON()]),
  }
  return {
    ...versions,
    freshUntil: freshUntil.toString(),
    director: directorOf(roles['targets']),
    roles,
    failures,
    memory,
  }
}

function signedOf(document: VerifiedMetadata | undefined): Readonly<Record<string, unknown>> {
  return (document?.signed.toJSON() ?? {}) as Readonly<Record<string, unknown>>
}

/** Only what people signed moves the time on: an online key in wrong hands must not age a device. */
function newestOf(before: SeenMemory, at: Temporal.Instant, documents: readonly object[]): string {
  const issued = documents.flatMap((signed) => expiryFrom((signed as Record<string, unknown>)['x-issued']) ?? [])
  const all = [Temporal.Instant.from(before.notBefore), at, ...issued]
  return all.reduce((newest, one) => (Temporal.Instant.compare(one, newest) > 0 ? one : newest)).toString()
}

function verifiedRolesOf(client: TufClient): Record<string, VerifiedRole> {
  const roles: Record<string, VerifiedRole> = {}
  const metadata = client.trustedSet
  const add = (name: string, document: VerifiedMetadata | undefined, trusted: TrustedKeys) => {
    if (document) roles[name] = verifiedRoleOf(name, document, trusted)
  }
  add('targets', metadata.getRole('targets'), keysAndThreshold(metadata.root.signed.toJSON(), 'targets'))
  for (const delegator of ['targets', ...boardsOf(roles['targets'])]) {
    const signed = roles[delegator]?.signed
    if (!signed) continue
    for (const { name } of delegationsIn(signed).roles) {
      const trusted = delegatedKeys(signed, name)
      if (name !== 'director') add(name, metadata.getRole(name), trusted)
    }
  }
  return roles
}

function boardsOf(targets: VerifiedRole | undefined): string[] {
  return targets ? delegationsIn(targets.signed).roles.map(({ name }) => name) : []
}

function verifiedRoleOf(name: string, document: VerifiedMetadata, trusted: TrustedKeys): VerifiedRole {
  const signed = document.signed.toJSON() as Record<string, unknown>
  const signatures = Object.values(document.signatures).map(({ keyID, sig }) => ({ keyid: keyID, sig }))
  const envelope: Envelope<unknown> = { signed, signatures }
  const { version } = document.signed
  const expires = String(signed['expires'])
  return { name, version, expires, signed, signers: signersOf(envelope, trusted), threshold: trusted.threshold }
}

interface Delegations {
  readonly keys: TrustedKeys['keys']
  readonly roles: readonly { readonly name: string; readonly keyids: readonly string[]; readonly threshold: number }[]
}

function delegationsIn(signed: Readonly<Record<string, unknown>>): Delegations {
  return (signed['delegations'] as Delegations | undefined) ?? { keys: {}, roles: [] }
}

function delegatedKeys(signed: Readonly<Record<string, unknown>>, name: string): TrustedKeys {
  const { keys, roles } = delegationsIn(signed)
  const role = roles.find((one) => one.name === name)
  return role ? pick(keys, role) : { keys: {}, threshold: 1 }
}

function keysAndThreshold(root: object, name: string): TrustedKeys {
  const { keys, roles } = root as { keys: TrustedKeys['keys']; roles: Record<string, Delegations['roles'][number]> }
  const role = roles[name]
  return role ? pick(keys, role) : { keys: {}, threshold: 1 }
}

function pick(
  keys: TrustedKeys['keys'],
  { keyids, threshold }: Omit<Delegations['roles'][number], 'name'>,
): TrustedKeys {
  const own = keyids.filter((id) => Object.hasOwn(keys, id)).map((id) => [id, keys[id]])
  return { keys: Object.fromEntries(own) as TrustedKeys['keys'], threshold }
}

/** The director has no file; only the custodians' delegation says whose assignments a device obeys. */
function directorOf(targets: VerifiedRole | undefined): TrustedKeys {
  return targets ? delegatedKeys(targets.signed, 'director') : { keys: {}, threshold: 1 }
}

function onlineKeysOf(root: VerifiedMetadata): string {
  const { roles } = root.signed.toJSON() as { roles: Record<string, { keyids: string[] }> }
  return ['snapshot', 'timestamp'].map((name) => [...(roles[name]?.keyids ?? [])].sort().join('+')).join('/')
}

/** Versions that the snapshot names, by role. */
export function metaVersionsOf(client: TufClient): Record<string, number> {
  const { meta } = (client.trustedSet.snapshot?.signed.toJSON() ?? { meta: {} }) as {
    meta: Record<string, { version: number }>
  }
  return Object.fromEntries(Object.entries(meta).map(([name, { version }]) => [name.replace(/\.json$/, ''), version]))
}
