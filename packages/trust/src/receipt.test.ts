import type { ReceiptSigned } from '@bascule/contract/device/protocol.ts'
import { expect, test } from 'vitest'
import { isEnrolProofValid, signEnrolProof } from './enrol-proof.ts'
import { signDocument } from './envelope.ts'
import { keyPairFromSeed, signHex } from './keys.ts'
import { signReceipt, verifyReceipt } from './receipt.ts'

const device = keyPairFromSeed(Buffer.alloc(32, 3))
const other = keyPairFromSeed(Buffer.alloc(32, 4))
const content: ReceiptSigned = {
  _type: 'bascule-receipt',
  specVersion: 1,
  device: device.keyId,
  seq: 9,
  job: '17',
  release: '4.2.0',
  manifestSha256: 'a'.repeat(64),
  generation: 5,
  action: 'install',
  outcome: 'committed',
  packages: [],
  verification: [{ level: 2, result: 'passed', detail: 'Every file has the hash it was signed with.' }],
  cause: null,
  startedAt: '2026-11-23T08:00:00Z',
  finishedAt: '2026-11-23T08:01:00Z',
  agentVersion: '0.1.0',
}

test('a receipt stays evidence after the wire', () => {
  const wire: unknown = JSON.parse(JSON.stringify(signReceipt(content, device)))
  expect(verifyReceipt(wire, device.publicKey)).toEqual({ ok: true, value: content })
})

test.each([
  [
    'a better outcome',
    { ...signReceipt({ ...content, outcome: 'rolled-back' }, device), signed: content },
    'bad-signature',
  ],
  ['the receipt of another device', signReceipt(content, other), 'threshold'],
  ['a receipt about another device', signReceipt({ ...content, device: other.keyId }, device), 'device'],
  ['a document of another kind', signDocument({ ...content, _type: 'bascule-statement' }, [device]), 'malformed'],
])('%s is refused', (_name, document, code) => {
  expect(verifyReceipt(document, device.publicKey)).toMatchObject({ ok: false, error: { code } })
})

const enrol = { token: 'secret-token', publicKey: device.publicKey, createdAt: '2026-11-23T08:00:00Z' }
const proof = signEnrolProof(device, enrol)

test('the enrolment proof is the agreed text', () => {
  // SHA-256 of "secret-token", computed with coreutils.
  const tokenHash = '930bbdc51b6aed5c2a5678fd6e28dee7a05e8a4b643cfc0b4427c3efb86c0d94'
  const text = `bascule-enrol-v1\n${tokenHash}\n${device.publicKey}\n2026-11-23T08:00:00Z`
  expect(proof).toBe(signHex(device, text))
  expect(isEnrolProofValid({ ...enrol, proof })).toBe(true)
})

test.each([
  ['another token', { token: 'other' }],
  ['another key', { publicKey: other.publicKey }],
  ['another time', { createdAt: '2026-11-23T08:00:01Z' }],
  ['no proof', { proof: '' }],
])('an enrolment with %s is refused', (_name, over) => {
  expect(isEnrolProofValid({ ...enrol, proof, ...over })).toBe(false)
})
