import { Signature, TufKey, sha256Hex } from '@bascule/contract/device/protocol.ts'
import { PhaseLimit } from '@bascule/contract/device/release-manifest.ts'
import { z } from 'zod'
import type { Envelope } from '#/envelope.ts'
import { expiryFrom } from '#/expiry.ts'

/**
 * The signed documents, exactly as TUF 1.0 defines them and with nothing that a standard client would not verify. Our
 * own words begin with `x-` or stand in a target's `custom`, the two places that TUF leaves to applications. Integers
 * and instants in whole seconds only. The forms are strict: a field that we do not know is a refusal when we are asked
 * to sign or to publish, because a person would sign what nobody showed.
 *
 * The level of a key (how it is kept) stands beside the role in `x-levels` and not in the key object: so the id of a
 * key is the hash of three standard fields for every client, and a key that moves to better keeping keeps its id.
 */
export const specVersion = '1.0.31'
export const roleTargetsMax = 500
export const snapshotRolesMax = 500
export const keysMax = 200
const metadataMaxBytes = 1_000_000

/** What a reader takes at most of each file; an endless answer ends here. */
export const fileMaxBytes = { root: 512_000, timestamp: 16_384, snapshot: 500_000, targets: metadataMaxBytes } as const

const instant = z
  .string()
  .refine((text) => expiryFrom(text) !== undefined, 'is not an instant such as 2026-11-23T08:00:00Z')
const version = z.int().min(1)
const threshold = z.int().min(1).max(keysMax)
const keyIds = z.array(sha256Hex).min(1).max(keysMax)
const StrictKey = z.strictObject({
  keytype: TufKey.shape.keytype,
  scheme: TufKey.shape.scheme,
  keyval: z.strictObject({ public: sha256Hex }),
})
const keys = z.record(sha256Hex, StrictKey)

const common = { spec_version: z.literal(specVersion), version, expires: instant, 'x-issued': instant }
const RootRole = z.strictObject({ keyids: keyIds, threshold })

export const RootSigned = z.strictObject({
  _type: z.literal('root'),
  ...common,
  consistent_snapshot: z.literal(true),
  keys,
  roles: z.strictObject({ root: RootRole, targets: RootRole, snapshot: RootRole, timestamp: RootRole }),
})
export type RootSigned = z.infer<typeof RootSigned>

/** How a member keeps the key: 1 in the browser, 2 behind a passkey, 3 in the local tool. */
export const KeyLevel = z.int().min(1).max(3)
export type KeyLevel = z.infer<typeof KeyLevel>

export const DelegatedRole = z.strictObject({
  name: z.string().max(121),
  keyids: keyIds,
  threshold,
  terminating: z.literal(true),
  paths: z.array(z.string().max(300)).length(1),
  'x-min-level': KeyLevel.optional(),
  'x-levels': z.record(sha256Hex, KeyLevel).optional(),
})
export type DelegatedRole = z.infer<typeof DelegatedRole>

/** Targets and board roles: delegations only, never a target of their own. */
export const DelegatingSigned = z.strictObject({
  _type: z.literal('targets'),
  ...common,
  targets: z.strictObject({}),
  delegations: z.strictObject({ keys, roles: z.array(DelegatedRole).max(snapshotRolesMax) }),
})
export type DelegatingSigned = z.infer<typeof DelegatingSigned>

/** What the board decided about one release. The device obeys these limits, whatever the server says. */
export const ReleaseCustom = z.strictObject({
  kind: z.literal('release'),
  productLine: z.string().max(60),
  release: z.string().max(40),
  /** Rises with every release of the line and is never used twice. */
  counter: z.int().min(1),
  phases: z.array(z.strictObject(PhaseLimit.shape)).min(1).max(250),
  /** The earliest time at which an installation may be forced on people. */
  deadline: z.iso.datetime({ offset: true }).nullable(),
  /** Releases from which going back to this one is allowed. */
  backoutFrom: z.array(z.string().max(40)).max(20),
  /** Whether a device returns by itself to what it had when its health check fails. */
  autoBackout: z.boolean(),
  /** Whether the server may order devices to remove the software without putting another release in its place. */
  mayRemove: z.boolean(),
  /** SHA-256 of the minutes and the policy result that stand behind the decision. */
  decisionSha256: sha256Hex.nullable(),
})
export type ReleaseCustom = z.infer<typeof ReleaseCustom>

export const StopCustom = z.strictObject({
  kind: z.literal('stop'),
  productLine: z.string().max(60),
  release: z.string().max(40),
  reason: z.string().max(500),
})
export type StopCustom = z.infer<typeof StopCustom>

const target = { length: z.int().min(1).max(5_000_000), hashes: z.strictObject({ sha256: sha256Hex }) }
export const ReleaseTarget = z.strictObject({ ...target, custom: ReleaseCustom })
export type ReleaseTarget = z.infer<typeof ReleaseTarget>
export const StopTarget = z.strictObject({ ...target, custom: StopCustom })
export type StopTarget = z.infer<typeof StopTarget>

/** A role that lists releases: a product line's or the emergency role's. */
export const ReleasesSigned = z.strictObject({
  _type: z.literal('targets'),
  ...common,
  targets: z.record(z.string().max(300), ReleaseTarget),
})
export type ReleasesSigned = z.infer<typeof ReleasesSigned>

/** The role that can only deny. Each entry carries length and hash of the manifest it stops. */
export const StopsSigned = z.strictObject({
  _type: z.literal('targets'),
  ...common,
  targets: z.record(z.string().max(300), StopTarget),
})
export type StopsSigned = z.infer<typeof StopsSigned>

/**
 * Version and length, and no hash of role files: a hash would triple the snapshot of a large installation, and the
 * quorum of the role has signed its version already. The one snapshot carries its hash.
 */
const RoleMeta = z.strictObject({ version, length: z.int().min(1) })
export type RoleMeta = z.infer<typeof RoleMeta>
const SnapshotMeta = z.strictObject({ ...RoleMeta.shape, hashes: z.strictObject({ sha256: sha256Hex }) })
export const SnapshotSigned = z.strictObject({
  _type: z.literal('snapshot'),
  ...common,
  meta: z.record(z.string().max(130), RoleMeta),
})
export type SnapshotSigned = z.infer<typeof SnapshotSigned>

export const TimestampSigned = z.strictObject({
  _type: z.literal('timestamp'),
  ...common,
  meta: z.strictObject({ 'snapshot.json': SnapshotMeta }),
})
export type TimestampSigned = z.infer<typeof TimestampSigned>

export type RoleSigned = DelegatingSigned | ReleasesSigned | StopsSigned
export const Signatures = z.array(z.strictObject(Signature.shape)).min(1).max(100)

/** The bytes of a document as a file: ordinary JSON, so that control characters in a text stay readable. */
export function fileBytesOf(document: Envelope<unknown>): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(document))
}
