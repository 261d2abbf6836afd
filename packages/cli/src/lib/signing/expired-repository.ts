import { ok, refuse, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import { parseStrictJson } from '@bascule/trust/canonical.ts'
import type { SeenMemory } from '@bascule/trust/client/memory.ts'
import type { MetadataSource } from '@bascule/trust/client/refresh-authority.ts'
import type { Envelope, TrustedKeys } from '@bascule/trust/envelope.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { signersOf } from '@bascule/trust/tuf/attach-signature.ts'
import {
  DelegatingSigned,
  fileMaxBytes,
  ReleasesSigned,
  type RoleSigned,
  RootSigned,
  SnapshotSigned,
  StopsSigned,
  TimestampSigned,
} from '@bascule/trust/tuf/documents.ts'
import { roleNameFrom } from '@bascule/trust/tuf/names.ts'
import { delegatedRoles, type RepositoryDraft, rootKeysOf, trustedKeysOf } from '@bascule/trust/tuf/repository-state.ts'
import type { z } from 'zod'

/**
 * The repository as its quorums signed it, whether or not it has expired. A device installs nothing from it; it is what
 * the next version follows when a renewal was missed, so it serves renewals and nothing else. Every quorum is counted
 * from the anchor on, and nothing may be older than what this machine has seen.
 */
export async function expiredRepository(
  root: Uint8Array,
  source: MetadataSource,
  seen: SeenMemory,
): Promise<Result<RepositoryDraft & { readonly snapshotVersion: number }, Refusal<string>>> {
  try {
    const newest = await newestRoot(root, source, seen)
    const snapshot = await listOf(newest, source, seen)
    const roles = await rolesOf({ root: newest, roles: {}, counters: {} }, snapshot, source, seen)
    return ok({ root: newest, roles, counters: {}, snapshotVersion: snapshot.version })
  } catch (cause) {
    if (!(cause instanceof Unbelievable)) throw cause
    return refuse({
      rule: 'quorums-hold',
      fact: cause.message,
      lifter: 'The server',
      next: 'Ask the other members what they see.',
    })
  }
}

/** On its way out of the chain; whoever calls gets a refusal. */
class Unbelievable extends Error {}

async function newestRoot(bytes: Uint8Array, source: MetadataSource, seen: SeenMemory): Promise<Envelope<RootSigned>> {
  let root = documentFrom('root', bytes, RootSigned)
  for (;;) {
    const { version } = root.signed
    const next = await source.fetchMetadata(`${version + 1}.root.json`, fileMaxBytes.root)
    if (next === undefined) break
    const document = documentFrom('root', next, RootSigned)
    demandQuorum('root', document, rootKeysOf(root.signed, 'root'))
    demandQuorum('root', document, rootKeysOf(document.signed, 'root'))
    demandVersion('root', document.signed.version, version + 1)
    root = document
  }
  if (root.signed.version < seen.rootVersion) throw older('root')
  return root
}

async function listOf(
  { signed: root }: Envelope<RootSigned>,
  source: MetadataSource,
  seen: SeenMemory,
): Promise<SnapshotSigned> {
  const timestamp = await fetched(source, 'timestamp', 'timestamp.json', TimestampSigned)
  demandQuorum('timestamp', timestamp, rootKeysOf(root, 'timestamp'))
  const { version, hashes } = timestamp.signed.meta['snapshot.json']
  const name = `${version}.snapshot.json`
  const bytes = await source.fetchMetadata(name, fileMaxBytes.snapshot)
  if (bytes === undefined || sha256Hex(bytes) !== hashes.sha256)
    throw new Unbelievable(`${name} is not the listed one.`)
  const snapshot = documentFrom('snapshot', bytes, SnapshotSigned)
  demandQuorum('snapshot', snapshot, rootKeysOf(root, 'snapshot'))
  const keys = (['snapshot', 'timestamp'] as const)
    .map((role) => [...root.roles[role].keyids].sort().join('+'))
    .join('/')
  const isSame = keys === seen.onlineKeys
  if (isSame && timestamp.signed.version < seen.timestampVersion) throw older('timestamp')
  if (isSame && snapshot.signed.version < seen.snapshotVersion) throw older('snapshot')
  return snapshot.signed
}

/** Whoever names keys comes before those whose keys it names, so the list grows while it is read. */
async function rolesOf(
  start: RepositoryDraft,
  snapshot: SnapshotSigned,
  source: MetadataSource,
  seen: SeenMemory,
): Promise<RepositoryDraft['roles']> {
  let repository = start
  for (;;) {
    const missing = delegatedRoles(repository).find((role) => !Object.hasOwn(repository.roles, role))
    if (missing === undefined) return repository.roles
    const version = snapshot.meta[`${missing}.json`]?.version
    if (version === undefined) throw new Unbelievable(`The snapshot does not list ${missing}.`)
    const document = await fetched(source, missing, `${version}.${missing}.json`, formOf(missing))
    demandQuorum(missing, document, trustedKeysOf(repository, missing))
    demandVersion(missing, document.signed.version, version)
    if (version < (seen.roles[missing] ?? 0)) throw older(missing)
    repository = { ...repository, roles: { ...repository.roles, [missing]: document } }
  }
}

function formOf(role: string): z.ZodType<RoleSigned> {
  const kind = roleNameFrom(role)?.kind
  if (kind === 'targets' || kind === 'board') return DelegatingSigned
  return kind === 'stop' ? StopsSigned : ReleasesSigned
}

async function fetched<Signed>(
  source: MetadataSource,
  role: string,
  name: string,
  form: z.ZodType<Signed>,
): Promise<Envelope<Signed>> {
  const bytes = await source.fetchMetadata(name, fileMaxBytes.targets)
  if (bytes === undefined) throw new Unbelievable(`The server does not have ${name}.`)
  return documentFrom(role, bytes, form)
}

function documentFrom<Signed>(role: string, bytes: Uint8Array, form: z.ZodType<Signed>): Envelope<Signed> {
  const json = parseStrictJson(new TextDecoder().decode(bytes))
  const { signed, signatures } = (json.ok ? json.value : {}) as Partial<Envelope<unknown>>
  const parsed = form.safeParse(signed)
  if (!parsed.success || !Array.isArray(signatures)) throw new Unbelievable(`${role} is not of the agreed form.`)
  return { signed: parsed.data, signatures }
}

function demandQuorum(role: string, document: Envelope<unknown>, trusted: TrustedKeys | undefined): void {
  const have = trusted ? signersOf(document, trusted).length : 0
  if (trusted && have >= trusted.threshold) return
  throw new Unbelievable(`${role} is signed by ${have} of ${trusted?.threshold ?? 1} keys.`)
}

function demandVersion(role: string, has: number, wanted: number): void {
  if (has !== wanted) throw new Unbelievable(`${role} is version ${has}, and ${wanted} was listed.`)
}

function older(role: string): Unbelievable {
  return new Unbelievable(`${role} is older than what this machine has seen.`)
}
