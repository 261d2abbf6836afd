import type { DeviceProblem } from '@bascule/contract/device/protocol.ts'
import { readClaimedKeyId, readRequestSignature, verifyReadRequest } from '@bascule/trust/http-signature.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type * as z from 'zod'
import type { Fleet } from '#/estate/device/fleet.ts'

type Code = DeviceProblem['code']

const statusOf: Record<Code, number> = {
  'bad-input': 400,
  'bad-signature': 401,
  'unknown-device': 401,
  pending: 403,
  revoked: 403,
  replayed: 409,
  'token-refused': 403,
  'too-large': 413,
  busy: 503,
}

export async function sendProblem(reply: FastifyReply, code: Code, message: string): Promise<FastifyReply> {
  return await reply.code(statusOf[code]).send({ code, message: message.slice(0, 500) } satisfies DeviceProblem)
}

/** The device keeps its reports and sends them again after this time. */
export async function sendTooMany(reply: FastifyReply, seconds: number): Promise<FastifyReply> {
  const message = `This device sends more reports than are stored of one. Send again in ${seconds} seconds.`
  return await reply
    .code(429)
    .header('retry-after', String(seconds))
    .send({ code: 'busy', message } satisfies DeviceProblem)
}

/** A device whose signature holds and whose sequence number is new. */
export interface KnownDevice {
  readonly index: number
  readonly keyId: string
  readonly publicKey: string
}

type Opened<Body> =
  | { readonly device: KnownDevice; readonly body: Body }
  | { readonly code: Code; readonly message: string }

/**
 * Why a request is turned away before its body is read, from what its headers claim; undefined for a device that may
 * speak here if its signature holds. Who is no device of ours cannot make the server hold a large body.
 */
export function refuseByHead(
  fleet: Fleet,
  { headers }: Pick<FastifyRequest, 'headers'>,
): { readonly code: Code; readonly message: string } | undefined {
  const claimed = readClaimedKeyId(headers)
  if (!claimed.ok) return { code: 'bad-signature', message: claimed.error.message }
  const found = fleet.find(claimed.value)
  if (!found) return { code: 'unknown-device', message: 'No device with this key is known here.' }
  return found.state === 'active' ? undefined : notActive(found.state)
}

/**
 * Opens a signed request: the signature fits the raw body, the device is active, the number was never used, and the
 * body is of the agreed form. Costs no query.
 */
export function openRequest<Schema extends z.ZodType<{ seq: number }>>(
  fleet: Fleet,
  request: FastifyRequest,
  schema: Schema,
): Opened<z.infer<Schema>> {
  const raw = request.body as Buffer
  const path = request.url.split('?', 1)[0] ?? request.url
  const read = readRequestSignature({ method: request.method, path, headers: request.headers, body: raw })
  if (!read.ok) return { code: 'bad-signature', message: read.error.message }
  const found = fleet.find(read.value.claim.keyid)
  if (!found) return { code: 'unknown-device', message: 'No device with this key is known here.' }
  const verified = verifyReadRequest(read.value, found.publicKey)
  if (!verified.ok) return { code: 'bad-signature', message: verified.error.message }
  if (found.state !== 'active') return notActive(found.state)
  const parsed = schema.safeParse(parseJson(raw))
  if (!parsed.success) return { code: 'bad-input', message: firstProblem(parsed.error) }
  if (parsed.data.seq !== verified.value.seq) return { code: 'bad-input', message: 'seq: is not the signed number' }
  if (!fleet.acceptSeq(found.index, parsed.data.seq))
    return { code: 'replayed', message: `The number ${parsed.data.seq} was used before.` }
  return {
    device: { index: found.index, keyId: read.value.claim.keyid, publicKey: found.publicKey },
    body: parsed.data,
  }
}

function notActive(state: string): { code: Code; message: string } {
  if (state === 'pending') return { code: 'pending', message: 'The device waits for approval by a person.' }
  return { code: 'revoked', message: `The device is ${state} and gets nothing from here.` }
}

function parseJson(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'))
  } catch {
    // The schema then says what is missing; a parser's own words would not help a device.
    return undefined
  }
}

function firstProblem(error: z.ZodError): string {
  const issue = error.issues[0]
  return issue ? `${issue.path.join('.') || 'body'}: ${issue.message}` : 'body: is not understood'
}
