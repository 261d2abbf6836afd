import type { AssignmentCustom } from '@bascule/contract/device/protocol.ts'
import { buildAssignment, signAssignment } from '@bascule/trust/assignment.ts'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import { keyPairFromSeed, sha256Hex, tufKeyOf, type KeyPair } from '@bascule/trust/keys.ts'
import { buildAudienceTree } from '@bascule/trust/merkle.ts'
import { expect, test } from 'vitest'
import { authorise, type AuthorityQuestion } from './authority.ts'

const director = keyPairFromSeed(Buffer.alloc(32, 1))
const device = keyPairFromSeed(Buffer.alloc(32, 2))
const other = keyPairFromSeed(Buffer.alloc(32, 3))
const nowIso = '2026-03-01T12:00:00Z'
const tree = buildAudienceTree([device.keyId, other.keyId])

interface Order {
  readonly manifest?: Record<string, unknown>
  readonly phase?: Record<string, unknown>
  readonly custom?: Partial<AssignmentCustom>
  readonly signer?: KeyPair
  readonly device?: string
  readonly generation?: number
  readonly path?: string
  readonly expires?: string
}

/** A question to which the answer is yes, with one thing changed. */
function ask(order: Order = {}, question: Partial<AuthorityQuestion> = {}) {
  const phase = { id: 'p1', order: 1, audienceRoot: tree.root, permille: 100, notBefore: null, notAfter: null }
  const manifest = {
    _type: 'bascule-release',
    specVersion: 1,
    productLine: 'tools',
    release: 'r2',
    version: '2',
    counter: 2,
    packages: [
      { name: 'tool', version: '2', index: { digest: `sha256:${'a'.repeat(64)}`, sizeBytes: 1 }, modules: [] },
    ],
    verifyLevel: 3,
    backoutFrom: [],
    autoBackout: true,
    offlineInstall: false,
    phases: [{ ...phase, ...order.phase }],
    deadline: null,
    ...order.manifest,
  }
  const manifestBytes = Buffer.from(canonicalJson(manifest))
  const proof = tree.proofOf(device.keyId)
  const custom: AssignmentCustom = {
    job: '7',
    action: 'install',
    release: 'r2',
    productLine: 'tools',
    rollout: 1,
    phase: 1,
    verifyLevel: 3,
    activation: 'current',
    attributes: { roles: [] },
    ...(proof ? { audienceProof: proof } : {}),
    ...order.custom,
  }
  const signed = buildAssignment({
    device: order.device ?? device.keyId,
    generation: order.generation ?? 5,
    expiresAt: Temporal.Instant.from(order.expires ?? '2026-03-03T00:00:00Z'),
    targets: [
      {
        path: order.path ?? 'tools/normal/r2.json',
        lengthBytes: manifestBytes.length,
        sha256: sha256Hex(manifestBytes),
        custom,
      },
    ],
  })
  const answer = authorise({
    assignment: signAssignment(signed, order.signer ?? director),
    directorKey: tufKeyOf(director.publicKey),
    deviceId: device.keyId,
    seenGeneration: 5,
    nowIso,
    jobId: '7',
    manifestBytes,
    installed: { release: 'r1', counter: 1, manifestSha256: 'b'.repeat(64) },
    ...question,
  })
  return answer.ok ? 'yes' : `${answer.error.code}/${answer.error.lift}`
}

test('what the pinned director ordered for this device, now, is authorised', () => {
  expect(ask()).toBe('yes')
})

test('each way to be wrong is refused with its own code, and says who or what can lift it', () => {
  expect(ask({ signer: other })).toBe('threshold/person')
  expect(ask({ device: other.keyId })).toBe('device/person')
  expect(ask({ generation: 4 })).toBe('replay/person')
  expect(ask({ expires: '2026-02-01T00:00:00Z' })).toBe('expired/permit')
  expect(ask({}, { jobId: '8' })).toBe('no-such-job/person')
  expect(ask({}, { manifestBytes: Buffer.from('{}') })).toBe('manifest-length/person')
  expect(ask({ custom: { release: 'r3' } })).toBe('release/person')
  expect(ask({ custom: { productLine: 'other' } })).toBe('product-line/person')
  expect(ask({ path: 'tools/normal/r1.json' })).toBe('path/person')
  expect(ask({ manifest: { phases: [] } })).toBe('manifest-form/person')
  expect(ask({ custom: { phase: 2 } })).toBe('phase/person')
  expect(ask({ phase: { notBefore: '2026-03-02T00:00:00Z' } })).toBe('phase-too-early/time')
  expect(ask({ phase: { notAfter: '2026-03-01T00:00:00Z' } })).toBe('phase-too-late/permit')
})

test('bytes of the same length with another hash are not the release', () => {
  const bytes = Buffer.from(canonicalJson({ a: 1 }))
  expect(ask({}, { manifestBytes: bytes })).toBe('manifest-length/person')
  const wrong = Buffer.alloc(5000, 32)
  expect(['manifest-length/person', 'manifest-hash/person']).toContain(ask({}, { manifestBytes: wrong }))
})

test('only a device of the signed audience installs, unless the server decides who', () => {
  const foreign = tree.proofOf(other.keyId)
  expect(ask({ custom: foreign ? { audienceProof: foreign } : {} })).toBe('audience/person')
  expect(ask({ phase: { audienceRoot: buildAudienceTree([other.keyId]).root } })).toBe('audience/person')
  expect(ask({ phase: { audienceRoot: null } })).toBe('yes')
})

test('a line never goes back, unless the older release names the one it may be returned to from', () => {
  const newer = { installed: { release: 'r3', counter: 3, manifestSha256: 'c'.repeat(64) } }
  expect(ask({}, newer)).toBe('rollback/person')
  expect(ask({ manifest: { backoutFrom: ['r3'] } }, newer)).toBe('yes')
  expect(ask({}, { installed: { release: 'x', counter: 2, manifestSha256: 'c'.repeat(64) } })).toBe('rollback/person')
  expect(ask({}, { installed: null })).toBe('yes')
})

test('going back is bound neither to the dates of the phase nor to its audience', () => {
  const back: Partial<AssignmentCustom> = { action: 'back-out' }
  expect(ask({ custom: back, phase: { notAfter: '2026-01-01T00:00:00Z', audienceRoot: 'd'.repeat(64) } })).toBe('yes')
})
