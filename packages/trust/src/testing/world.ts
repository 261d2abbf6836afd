import type { AssignmentCustom } from '@bascule/contract/device/protocol.ts'
import type { PhaseLimit } from '@bascule/contract/device/release-manifest.ts'
import { assert } from '@bascule/domain/lib/result.ts'
import { type AssignmentTarget, buildAssignment } from '#/assignment.ts'
import { canonicalJson } from '#/canonical.ts'
import { type Envelope, signDocument } from '#/envelope.ts'
import { expiryText } from '#/expiry.ts'
import { type KeyPair, keyPairFromSeed, sha256Hex } from '#/keys.ts'
import { buildAudienceTree } from '#/merkle.ts'
import {
  buildBoard,
  buildReleases,
  buildRoot,
  buildSnapshot,
  buildStops,
  buildTargets,
  buildTimestamp,
} from '#/tuf/build.ts'
import {
  type ReleaseCustom,
  type ReleaseTarget,
  type RoleSigned,
  type RootSigned,
  type StopTarget,
  fileBytesOf,
} from '#/tuf/documents.ts'
import { targetPathText } from '#/tuf/names.ts'
import { publish } from '#/tuf/publish.ts'
import { type RepositoryState, emptyRepository } from '#/tuf/repository-state.ts'

/**
 * An honest repository in memory, made with the same builders and the same publishing rules that a signer uses: two
 * boards, two product lines, an emergency role and a stop role each. Attacks begin as a copy of it.
 */
export interface World {
  readonly state: RepositoryState
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly at: Temporal.Instant
}

export const now = Temporal.Instant.from('2026-11-23T08:00:00Z')

/** The key of somebody, the same in every test. */
export function keyOf(name: string): KeyPair {
  return keyPairFromSeed(Buffer.from(sha256Hex(`key of ${name}`), 'hex'))
}

export const custodians = ['cora', 'carl', 'chen'].map(keyOf)
export const members = ['mona', 'milo', 'mira'].map(keyOf)
export const emergencyMembers = ['emil', 'enya', 'esra'].map(keyOf)
export const otherMembers = ['otto', 'olga'].map(keyOf)
export const outsider = keyOf('outsider')
export const director = keyOf('director')
export const online = { snapshot: [keyOf('snapshot')], timestamp: [keyOf('timestamp')] }
export const device = keyOf('device')
export const otherDevice = keyOf('other device')
export const audience = buildAudienceTree([device.keyId, otherDevice.keyId, keyOf('third device').keyId])

/** The first two of a list: enough for the quorum of every role here except governance. */
export function twoOf(keys: readonly KeyPair[]): KeyPair[] {
  return keys.slice(0, 2)
}

export function publicOf(keys: readonly KeyPair[]): string[] {
  return keys.map((key) => key.publicKey)
}

export const openPhase: PhaseLimit = {
  id: 'pilot',
  order: 1,
  audienceRoot: audience.root,
  permille: 50,
  notBefore: null,
  notAfter: null,
}

/** A release and what stands in its manifest. */
export interface Release {
  readonly path: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly sha256: string
  readonly target: ReleaseTarget
}

export function aRelease(
  over: {
    readonly counter?: number
    readonly board?: string
    readonly line?: string
    readonly release?: string
    readonly kind?: 'normal' | 'emergency'
  } = {},
  custom: Partial<ReleaseCustom> = {},
  inside: Readonly<Record<string, unknown>> = {},
): Release {
  const { counter = 1, board = 'retail', line = 'pos', kind = 'normal' } = over
  const release = over.release ?? `REL-000${counter}`
  const manifest = {
    _type: 'bascule-release',
    specVersion: 1,
    productLine: line,
    release,
    version: `4.${counter}.0`,
    counter,
    packages: [
      { name: 'till', version: '1', index: { digest: `sha256:${'a'.repeat(64)}`, sizeBytes: 1 }, modules: [] },
    ],
    verifyLevel: 3,
    backoutFrom: [],
    autoBackout: true,
    offlineInstall: false,
    phases: [openPhase],
    deadline: null,
    ...inside,
  }
  const bytes = new TextEncoder().encode(canonicalJson(manifest))
  const sha256 = sha256Hex(bytes)
  const signed: ReleaseCustom = {
    kind: 'release',
    productLine: line,
    release,
    counter,
    phases: [openPhase],
    deadline: null,
    backoutFrom: [],
    autoBackout: true,
    mayRemove: false,
    decisionSha256: null,
    ...custom,
  }
  const path = targetPathText({ board, line, kind, release })
  return { path, bytes, sha256, target: { length: bytes.length, hashes: { sha256 }, custom: signed } }
}

export function aStop(release: Release, reason = 'It loses sales.'): [string, StopTarget] {
  const { productLine, release: id } = release.target.custom
  const custom = { kind: 'stop' as const, productLine, release: id, reason }
  const path = targetPathText({ board: 'retail', line: productLine, kind: 'stop', release: id })
  return [path, { ...release.target, custom }]
}

export const first = aRelease({ counter: 1 })
export const second = aRelease({ counter: 2 })

/** Root 1 with everything below it, and then a go for the second release. */
export function honestWorld(at: Temporal.Instant = now): World {
  const issue = { version: 1, at }
  const root = buildRoot(issue, rootQuorums())
  const empty = { ...emptyWorld, at }
  const founded = publishInto(empty, {
    root: signDocument(root, twoOf(custodians)),
    targets: signDocument(buildTargets(issue, targetsQuorums()), twoOf(custodians)),
    retail: signDocument(buildBoard(issue, boardQuorums()), members),
    'retail.pos': signDocument(buildReleases('line', issue, { [first.path]: first.target }), members),
    'retail.kiosk': signDocument(buildReleases('line', issue, {}), twoOf(members)),
    'retail.emergency': signDocument(buildReleases('emergency', issue, {}), twoOf(emergencyMembers)),
    'retail.stop': signDocument(buildStops(issue, {}), members),
    ops: signDocument(buildBoard(issue, opsQuorums()), otherMembers),
    'ops.net': signDocument(buildReleases('line', issue, {}), otherMembers),
    'ops.stop': signDocument(buildStops(issue, {}), otherMembers),
  })
  return publishInto(founded, { 'retail.pos': goFor(founded, second) })
}

export function rootQuorums() {
  return {
    root: { publicKeys: publicOf(custodians), threshold: 2 },
    targets: { publicKeys: publicOf(custodians), threshold: 2 },
    snapshot: { publicKeys: publicOf(online.snapshot), threshold: 1 },
    timestamp: { publicKeys: publicOf(online.timestamp), threshold: 1 },
  }
}

export function targetsQuorums() {
  return {
    director: { publicKeys: [director.publicKey], threshold: 1 },
    boards: {
      retail: { publicKeys: publicOf(members), threshold: 3 },
      ops: { publicKeys: publicOf(otherMembers), threshold: 2 },
    },
  }
}

export function boardQuorums() {
  return {
    'retail.pos': { publicKeys: publicOf(members), threshold: 2 },
    'retail.kiosk': { publicKeys: publicOf(members), threshold: 2 },
    'retail.emergency': { publicKeys: publicOf(emergencyMembers), threshold: 2 },
    'retail.stop': { publicKeys: publicOf(members), threshold: 1 },
  }
}

export function opsQuorums() {
  return {
    'ops.net': { publicKeys: publicOf(otherMembers), threshold: 2 },
    'ops.stop': { publicKeys: publicOf(otherMembers), threshold: 1 },
  }
}

/** The next version of a role file, changed and signed by these keys. Nothing asks whether that is right. */
export function nextVersion<Signed extends RoleSigned | RootSigned>(
  world: World,
  role: string,
  change: (signed: Signed) => object,
  signers: readonly KeyPair[],
): Envelope<Signed> {
  const current = (role === 'root' ? world.state.root : world.state.roles[role]) as Envelope<Signed> | undefined
  assert(current, `${role} is in the world`)
  const copy = {
    ...structuredClone(current.signed),
    version: current.signed.version + 1,
    'x-issued': expiryText(world.at),
  }
  return signDocument(change(copy) as Signed, signers)
}

/** A line's next version with one release more, signed by two members. */
export function goFor(world: World, release: Release, signers = twoOf(members)): Envelope<RoleSigned> {
  return nextVersion<RoleSigned>(
    world,
    'retail.pos',
    (signed) => withTarget(signed, release.path, release.target),
    signers,
  )
}

export function withTarget(signed: RoleSigned, path: string, target: object): RoleSigned {
  return { ...signed, targets: { ...signed.targets, [path]: target } } as RoleSigned
}

/** Publishes with all rules of the signer. */
export function publishInto(
  world: Pick<World, 'files' | 'at'> & { readonly state: Parameters<typeof publish>[0] },
  documents: Parameters<typeof publish>[1],
): World {
  const outcome = publish(world.state, documents, { online, at: world.at })
  if (!outcome.ok) throw new Error(`Publishing: ${outcome.error.rule}: ${outcome.error.fact}`)
  const files = new Map(world.files)
  for (const { name, bytes } of outcome.value.files) files.set(name, bytes)
  return { state: outcome.value.state, files, at: world.at }
}

const emptyWorld = { state: emptyRepository, files: new Map<string, Uint8Array>(), at: now }

/** What a thief of the online keys may change about the two files that those keys sign. */
export interface Forgery {
  readonly snapshot?: ((signed: ReturnType<typeof buildSnapshot>) => object) | undefined
  readonly timestamp?: ((signed: ReturnType<typeof buildTimestamp>) => object) | undefined
}

/** Publishes without any rule, with stolen online keys: the files that an attacker's server would hand out. */
export function forgeInto(
  world: World,
  documents: Readonly<Record<string, Envelope<unknown>>>,
  forgery: Forgery = {},
): Map<string, Uint8Array> {
  const files = new Map(world.files)
  const { root, ...roles } = documents as Record<string, Envelope<{ version: number }>>
  if (root) files.set(`${root.signed.version}.root.json`, fileBytesOf(root))
  const listed: Record<string, Envelope<{ version: number }>> = { ...world.state.roles, ...roles }
  for (const [role, document] of Object.entries(roles)) {
    files.set(`${document.signed.version}.${role}.json`, fileBytesOf(document))
  }
  const meta = Object.entries(listed).map(([role, document]) => {
    return [role, { version: document.signed.version, length: fileBytesOf(document).length }] as const
  })
  const version = world.state.snapshot.signed.version + 1
  const honest = buildSnapshot({ version, at: world.at }, Object.fromEntries(meta))
  const snapshot = signDocument((forgery.snapshot ?? same)(honest) as typeof honest, online.snapshot)
  files.set(`${snapshot.signed.version}.snapshot.json`, fileBytesOf(snapshot))
  const issue = { version: world.state.timestamp.signed.version + 1, at: world.at }
  const timestamp = buildTimestamp(issue, snapshot.signed.version, fileBytesOf(snapshot))
  files.set('timestamp.json', fileBytesOf(signDocument((forgery.timestamp ?? same)(timestamp), online.timestamp)))
  return files
}

function same<T>(value: T): T {
  return value
}

/** What the director orders about a release, with one thing changed. */
export function anOrder(release: Release, over: Partial<AssignmentCustom> = {}): AssignmentTarget {
  const proof = audience.proofOf(device.keyId)
  assert(proof, 'the device is in the audience')
  const custom: AssignmentCustom = {
    job: '7',
    action: 'install',
    release: release.target.custom.release,
    productLine: release.target.custom.productLine,
    rollout: 1,
    phase: 1,
    verifyLevel: 3,
    activation: 'current',
    audienceProof: proof,
    attributes: { roles: [] },
    ...over,
  }
  return { path: release.path, lengthBytes: release.bytes.length, sha256: release.sha256, custom }
}

/** The signed part of an assignment for the device, good for five days. */
export function anAssignment(...targets: readonly AssignmentTarget[]) {
  return buildAssignment({ device: device.keyId, generation: 5, expiresAt: now.add({ hours: 120 }), targets })
}
