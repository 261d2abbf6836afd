import { randomBytes, hash } from 'node:crypto'
import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { type KeyPair, signHex, verifySignature } from './keys.ts'

/**
 * HTTP message signatures (RFC 9421) of device requests. The device signs method, path, body digest and its sequence
 * number, with the time, a nonce, its key id and a tag that keeps these signatures apart from every other use of the key.
 *
 * Scheme and host are not signed, on purpose: a proxy that ends TLS and a relay both change them rightly, and a server
 * behind one cannot know what the device wrote. The device key takes their place: it is made for one server at
 * enrolment and no other server knows it. `created` is not judged here, because a device clock is never required to be
 * right; a replay is stopped by the sequence number, which the server keeps.
 *
 * Only our own exact form is read. A header that means the same in other words is refused, so that there is nothing to
 * interpret and two readers cannot disagree.
 */
export interface SignedRequest {
  readonly method: string
  /** Path of the request target, without query: device routes take none. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Uint8Array | string
}

export interface RequestSignature {
  /** Id of the device key: the device id. */
  readonly keyid: string
  readonly seq: number
  readonly createdAt: Temporal.Instant
  readonly nonce: string
}

export type RequestRefusalCode = 'missing' | 'malformed' | 'body' | 'unknown-key' | 'bad-signature'
export interface RequestRefusal {
  readonly code: RequestRefusalCode
  readonly message: string
}

export interface SignRequestInput {
  readonly method: string
  readonly path: string
  readonly body: Uint8Array | string
  readonly seq: number
  readonly now: Temporal.Instant
  /** 16 random bytes when not given; simulations give their own. At most 64 characters of base64url. */
  readonly nonce?: string
}

/** Headers that a device adds to its request. */
export function signRequest(device: KeyPair, input: SignRequestInput): Record<string, string> {
  const seq = String(input.seq)
  const nonce = input.nonce ?? randomBytes(16).toString('base64url')
  const created = Math.floor(input.now.epochMilliseconds / 1000)
  const digest = contentDigest(input.body)
  const params = `${coveredComponents};created=${created};nonce="${nonce}";keyid="${device.keyId}"${paramsTail}`
  const base = baseOf(input.method, input.path, digest, seq, params)
  return {
    'content-digest': digest,
    'x-bascule-seq': seq,
    'signature-input': `${label}=${params}`,
    signature: `${label}=:${Buffer.from(signHex(device, base), 'hex').toString('base64')}:`,
  }
}

/**
 * Whether the request is what the device with that key sent. `publicKeyOf` gives the raw public key (hex) of a key id
 * this server knows. The caller still has to refuse a sequence number that is not new.
 */
export function verifyRequest(
  request: SignedRequest,
  publicKeyOf: (keyid: string) => string | undefined,
): Result<RequestSignature, RequestRefusal> {
  const read = readRequestSignature(request)
  if (!read.ok) return read
  const publicKey = publicKeyOf(read.value.claim.keyid)
  if (publicKey === undefined) return no('unknown-key', 'No device with this key is known here.')
  return verifyReadRequest(read.value, publicKey)
}

/** A signature that was read and whose body fits, but that nobody has verified yet. */
export interface ReadRequest {
  /** Who it claims to be. Worth nothing until `verifyReadRequest` has said yes. */
  readonly claim: RequestSignature
  readonly base: string
  readonly signature: Uint8Array
}

/**
 * The key id that a request claims, from its headers alone. Worth nothing until the request is verified; it lets a server
 * turn away who it does not know before it reads a body.
 */
export function readClaimedKeyId(headers: SignedRequest['headers']): Result<string, RequestRefusal> {
  const input = one(headers['signature-input'])
  if (input === undefined || one(headers['signature']) === undefined) {
    return no('missing', 'The request is not signed: a signature header is missing or stands twice.')
  }
  const keyid = inputPattern.exec(input)?.[3]
  return keyid === undefined ? no('malformed', 'The signature headers are not in the agreed form.') : ok(keyid)
}

/** First half of `verifyRequest`, for a server that must look up the key elsewhere before it can go on. */
export function readRequestSignature(request: SignedRequest): Result<ReadRequest, RequestRefusal> {
  const input = one(request.headers['signature-input'])
  const signature = one(request.headers['signature'])
  const digest = one(request.headers['content-digest'])
  const seq = one(request.headers['x-bascule-seq'])
  if (input === undefined || signature === undefined || digest === undefined || seq === undefined) {
    return no('missing', 'The request is not signed: a signature header is missing or stands twice.')
  }
  const params = inputPattern.exec(input)
  const sig = signaturePattern.exec(signature)
  if (!params || !sig || !seqPattern.test(seq) || !request.path.startsWith('/') || request.path.includes('?')) {
    return no('malformed', 'The signature headers are not in the agreed form.')
  }
  if (contentDigest(request.body) !== digest) return no('body', 'The body is not the one that was signed.')

  const [, created = '', nonce = '', keyid = ''] = params
  const createdAt = Temporal.Instant.fromEpochMilliseconds(Number(created) * 1000)
  return ok({
    claim: { keyid, seq: Number(seq), createdAt, nonce },
    base: baseOf(request.method, request.path, digest, seq, input.slice(label.length + 1)),
    signature: Buffer.from(sig[1] ?? '', 'base64'),
  })
}

/** Second half of `verifyRequest`: the one expensive step. */
export function verifyReadRequest(read: ReadRequest, publicKey: string): Result<RequestSignature, RequestRefusal> {
  if (verifySignature(publicKey, read.base, read.signature)) return ok(read.claim)
  return no('bad-signature', 'The signature does not fit the request.')
}

/** The text that is signed (RFC 9421, 2.5): one line per covered component, then the parameters. */
export function signatureBase(components: readonly (readonly [string, string])[], params: string): string {
  return `${components.map(([name, value]) => `"${name}": ${value}\n`).join('')}"@signature-params": ${params}`
}

const label = 'bascule'
const coveredComponents = '("@method" "@path" "content-digest" "x-bascule-seq")'
const paramsTail = ';alg="ed25519";tag="bascule-device-v1"'
const inputPattern = new RegExp(
  `^${RegExp.escape(`${label}=${coveredComponents}`)};created=([0-9]{1,11});nonce="([A-Za-z0-9_-]{16,64})";` +
    `keyid="([0-9a-f]{64})"${RegExp.escape(paramsTail)}$`,
)
const signaturePattern = new RegExp(`^${label}=:([A-Za-z0-9+/]{86}==):$`)
const seqPattern = /^[1-9][0-9]{0,14}$/

function baseOf(method: string, path: string, digest: string, seq: string, params: string): string {
  const components = [
    ['@method', method],
    ['@path', path],
    ['content-digest', digest],
    ['x-bascule-seq', seq],
  ] as const
  return signatureBase(components, params)
}

function contentDigest(body: Uint8Array | string): string {
  return `sha-256=:${hash('sha256', body, 'base64')}:`
}

function one(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined
}

function no(code: RequestRefusalCode, message: string): Result<never, RequestRefusal> {
  return refuse({ code, message })
}
