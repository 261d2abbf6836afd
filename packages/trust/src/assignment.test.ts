import type { Assignment } from '@bascule/contract/device/protocol.ts'
import { expect, test } from 'vitest'
import { type AssignmentDraft, buildAssignment, isTargetPath, signAssignment, verifyAssignment } from './assignment.ts'
import { canonicalJson } from './canonical.ts'
import { signDocument } from './envelope.ts'
import { keyPairFromSeed, tufKeyOf } from './keys.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00Z')
const director = keyPairFromSeed(Buffer.alloc(32, 1))
const stranger = keyPairFromSeed(Buffer.alloc(32, 2))
const device = keyPairFromSeed(Buffer.alloc(32, 3)).keyId
const path = 'retail/point-of-sale/normal/4.2.0.json'

const draft: AssignmentDraft = {
  device,
  generation: 5,
  expiresAt: now.add({ hours: 7 * 24 }),
  targets: [
    {
      path,
      lengthBytes: 900,
      sha256: 'a'.repeat(64),
      custom: {
        job: '17',
        action: 'install',
        release: '4.2.0',
        productLine: 'point-of-sale',
        rollout: 3,
        phase: 1,
        verifyLevel: 4,
        activation: 'current',
        attributes: { site: 'leeds', roles: ['sales'] },
      },
    },
  ],
}
const genuine = signAssignment(buildAssignment(draft), director)

function verify(document: unknown, over: { lastGeneration?: number; device?: string; now?: Temporal.Instant } = {}) {
  return verifyAssignment(document, {
    directorKey: tufKeyOf(director.publicKey),
    device,
    lastGeneration: 4,
    now,
    ...over,
  })
}

test('a genuine assignment is accepted, also a second time and after the wire', () => {
  expect(verify(genuine)).toEqual({ ok: true, value: genuine.signed })
  expect(verify(JSON.parse(JSON.stringify(genuine)), { lastGeneration: 5 }).ok).toBe(true)
})

test('an assignment without work is an assignment too', () => {
  expect(verify(signAssignment(buildAssignment({ ...draft, targets: [] }), director)).ok).toBe(true)
})

/** Each attack changes one thing about a genuine assignment; stolen keys are said so. */
const attacks: [string, () => unknown, string][] = [
  [
    'one changed character of the hash',
    () => tampered((a) => entry(a).hashes, 'sha256', 'b'.repeat(64)),
    'bad-signature',
  ],
  ['another phase', () => tampered((a) => entry(a).custom, 'phase', 2), 'bad-signature'],
  ['a field added', () => tampered((a) => a.signed, 'extra', 1), 'bad-signature'],
  ['a later expiry', () => tampered((a) => a.signed, 'expires', '2027-01-01T00:00:00Z'), 'bad-signature'],
  ['a fraction', () => tampered((a) => a.signed, 'version', 5.5), 'not-canonical'],
  ['a foreign key', () => signAssignment(genuine.signed, stranger), 'threshold'],
  ['a foreign signature under the director key id', () => foreignSignature(), 'bad-signature'],
  [
    'the director twice',
    () => ({ ...genuine, signatures: [...genuine.signatures, ...genuine.signatures] }),
    'duplicate-signature',
  ],
  ['no signature', () => ({ ...genuine, signatures: [] }), 'malformed'],
  ['no document', () => 'assignment', 'malformed'],
  ['nothing', () => null, 'malformed'],
  ['another device', () => signed({ 'x-device': stranger.keyId }), 'device'],
  ['an older generation', () => signed({ version: 3 }), 'replay'],
  ['generation zero', () => signed({ version: 0 }), 'malformed'],
  ['an expired one', () => signed({ expires: '2026-11-23T08:00:00Z' }), 'expired'],
  ['one that never expires', () => signed({ expires: 'never' }), 'malformed'],
  ['an expiry of another form', () => signed({ expires: '2026-11-24T08:00:00+01:00' }), 'expiry'],
  ['an expiry in month 13', () => signed({ expires: '2026-13-01T08:00:00Z' }), 'malformed'],
  ['one that lives for years, with a stolen key', () => signed({ expires: '2099-01-01T00:00:00Z' }), 'lifetime'],
  ['one of another kind, with a stolen key', () => signed({ _type: 'root' }), 'malformed'],
  ['a path that climbs, with a stolen key', () => signed(retargeted('a/../../etc/passwd')), 'path'],
  ['an absolute path, with a stolen key', () => signed(retargeted('/etc/passwd')), 'path'],
  ['the path constructor, with a stolen key', () => signed(retargeted('constructor')), 'not-canonical'],
  ['the path x/__proto__, with a stolen key', () => signed(retargeted('x/__proto__')), 'path'],
  ['more releases than a device reads', () => signed({ targets: many() }), 'too-many-targets'],
]

test.each(attacks)('%s is refused', (_name, attack, code) => {
  expect(verify(attack())).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(/\.$/) } })
})

test('an assignment of another device is refused on this one', () => {
  expect(verify(genuine, { device: stranger.keyId })).toMatchObject({ ok: false, error: { code: 'device' } })
})

test('an assignment dies a week after it was signed', () => {
  expect(verify(genuine, { now: now.add({ hours: 168 }).subtract({ seconds: 1 }) }).ok).toBe(true)
  expect(verify(genuine, { now: now.add({ hours: 168 }) })).toMatchObject({ error: { code: 'expired' } })
})

test('equal drafts give equal bytes whatever the order of their targets', () => {
  const first = draft.targets[0]
  if (!first) throw new Error('the draft has a target')
  const second = { ...first, path: 'retail/ledger/normal/1.0.0.json' }
  const one = buildAssignment({ ...draft, targets: [first, second] })
  const other = buildAssignment({ ...draft, targets: [second, first] })
  expect(canonicalJson(one)).toBe(canonicalJson(other))
})

test.each(['constructor', 'a/constructor', '__proto__', '', 'a//b', 'a/', '.hidden', 'a/..', 'a\\b', 'a b', 'ü'])(
  '%j names no target',
  (name) => {
    expect(isTargetPath(name)).toBe(false)
  },
)

function signed(over: Record<string, unknown>): unknown {
  const document = { ...genuine.signed, ...over }
  try {
    return signDocument(document, [director])
  } catch {
    // What has no canonical text cannot be signed honestly either; the device must refuse it before the signature.
    return { signed: document, signatures: genuine.signatures }
  }
}

function retargeted(name: string) {
  return { targets: { [name]: genuine.signed.targets[path] } }
}

function many() {
  return Object.fromEntries(Array.from({ length: 501 }, (_none, n) => [`line/${n}`, genuine.signed.targets[path]]))
}

function foreignSignature() {
  const [foreign] = signAssignment(genuine.signed, stranger).signatures
  return { ...genuine, signatures: [{ ...foreign, keyid: director.keyId }] }
}

function tampered(pick: (copy: Assignment) => object, field: string, value: unknown): unknown {
  const copy = structuredClone(genuine)
  Object.assign(pick(copy), { [field]: value })
  return copy
}

function entry(assignment: Assignment) {
  const found = assignment.signed.targets[path]
  if (!found) throw new Error('the assignment has its target')
  return found
}
