import { createPublicKey } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type SignedRequest, signRequest, signatureBase, verifyRequest } from './http-signature.ts'
import { keyPairFromPem, keyPairFromSeed, signHex } from './keys.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00Z')
const device = keyPairFromSeed(Buffer.alloc(32, 7))
const other = keyPairFromSeed(Buffer.alloc(32, 8))
const keys = new Map([
  [device.keyId, device.publicKey],
  [other.keyId, other.publicKey],
])

test('the Ed25519 vector of RFC 9421, B.2.6 is reproduced', () => {
  const pair = keyPairFromPem(
    '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END PRIVATE KEY-----\n',
  )
  const published = createPublicKey(
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n',
  )
  const raw = published.export({ format: 'der', type: 'spki' }).subarray(12)
  const components = [
    ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
    ['@method', 'POST'],
    ['@path', '/foo'],
    ['@authority', 'example.com'],
    ['content-type', 'application/json'],
    ['content-length', '18'],
  ] as const
  const params = `(${components.map(([name]) => `"${name}"`).join(' ')});created=1618884473;keyid="test-key-ed25519"`
  expect(raw.toString('hex')).toBe(pair.publicKey)
  expect(Buffer.from(signHex(pair, signatureBase(components, params)), 'hex').toString('base64')).toBe(
    'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==',
  )
})

test('a signed request tells who sent it, its number and its time', () => {
  expect(check(signed())).toEqual({
    ok: true,
    value: { keyid: device.keyId, seq: 42, createdAt: now, nonce: 'AAAAAAAAAAAAAAAAAAAAAA' },
  })
})

test('any body and any sequence number pass as they were signed', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 1e14 }), (body, seq) => {
      const input = { method: 'POST', path: '/device/v1/reports', body, seq, now }
      const result = check({ ...input, headers: signRequest(device, input) })
      expect(result).toMatchObject({ ok: true, value: { seq, keyid: device.keyId } })
    }),
  )
})

test.each<[string, (request: SignedRequest) => SignedRequest, string]>([
  ['another method', (r) => ({ ...r, method: 'PUT' }), 'bad-signature'],
  ['another path', (r) => ({ ...r, path: '/device/v1/reports' }), 'bad-signature'],
  ['a query', (r) => ({ ...r, path: `${r.path}?a=1` }), 'malformed'],
  ['another body', (r) => ({ ...r, body: '{"a":2}' }), 'body'],
  ['another body with its digest', (r) => swapBody(r), 'bad-signature'],
  ['another sequence number', (r) => header(r, 'x-bascule-seq', '43'), 'bad-signature'],
  ['a sequence number in other words', (r) => header(r, 'x-bascule-seq', '042'), 'malformed'],
  ['another device', (r) => replace(r, device.keyId, other.keyId), 'bad-signature'],
  ['an unknown device', (r) => replace(r, device.keyId, 'f'.repeat(64)), 'unknown-key'],
  ['another time', (r) => replace(r, 'created=1795', 'created=1796'), 'bad-signature'],
  ['another nonce', (r) => replace(r, 'AAAAAAAAAAAAAAAAAAAAAA', 'BAAAAAAAAAAAAAAAAAAAAA'), 'bad-signature'],
  ['a component left out', (r) => replace(r, ' "content-digest"', ''), 'malformed'],
  ['another algorithm', (r) => replace(r, 'ed25519', 'hmac-sha256'), 'malformed'],
  ['another tag', (r) => replace(r, 'bascule-device-v1', 'bascule-device-v2'), 'malformed'],
  ['a header twice', (r) => ({ ...r, headers: { ...r.headers, signature: ['a', 'b'] } }), 'missing'],
  ['no signature', (r) => ({ ...r, headers: {} }), 'missing'],
  ['a signature cut short', (r) => header(r, 'signature', 'bascule=:AAAA:'), 'malformed'],
])('%s is refused', (_name, change, code) => {
  expect(check(change(signed()))).toMatchObject({ ok: false, error: { code } })
})

function signed(): SignedRequest {
  const input = { method: 'POST', path: '/device/v1/checkin', body: '{"a":1}', seq: 42, now }
  return { ...input, headers: signRequest(device, { ...input, nonce: 'AAAAAAAAAAAAAAAAAAAAAA' }) }
}

function check(request: SignedRequest) {
  return verifyRequest(request, (keyid) => keys.get(keyid))
}

function header(request: SignedRequest, name: string, value: string): SignedRequest {
  return { ...request, headers: { ...request.headers, [name]: value } }
}

function replace(request: SignedRequest, from: string, to: string): SignedRequest {
  const input = String(request.headers['signature-input'])
  expect(input).toContain(from)
  return header(request, 'signature-input', input.replace(from, to))
}

function swapBody(request: SignedRequest): SignedRequest {
  const body = '{"a":2}'
  const foreign = signRequest(other, { method: 'POST', path: request.path, body, seq: 42, now })
  return { ...header(request, 'content-digest', foreign['content-digest'] ?? ''), body }
}
