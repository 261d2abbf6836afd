import { api } from '@bascule/contract/api.ts'
import { devicePaths, CheckIn, Enrol, Reports } from '@bascule/contract/device/protocol.ts'
import { walkProcedures } from '@bascule/contract/lib/walk.ts'
import type { ProcedureEntry } from '@bascule/contract/lib/walk.ts'
import { signRequest } from '@bascule/trust/http-signature.ts'
import * as fc from 'fast-check'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import { deviceKey } from '#/deliver/testing/delivery-world.ts'
import { createFuzzWorld } from './fuzz-world.ts'
import type { FuzzWorld } from './fuzz-world.ts'
import { inputsOf } from './hostile-input.ts'
import type { Json } from './hostile-input.ts'

/** `npm test` takes the same few seconds and the same seed each time; `scripts/fuzz.ts` asks for more of both. */
const seconds = Number(process.env['FUZZ_SECONDS'] ?? 20)
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 20_261_123)
/** What is tried on every procedure in a long run; a short one takes its turns. */
const isTurn = (...numbers: readonly number[]): boolean =>
  seconds > 60 || numbers.reduce((sum, each) => sum + each, firstSeed) % 5 === 0
const timeoutMs = seconds * 1000 + 120_000

let world: FuzzWorld

beforeAll(async () => {
  world = await createFuzzWorld()
}, 120_000)

afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

beforeEach(() => {
  world.answered.clear()
})

/** At least one round, then as many as fit. Each round has a seed of its own, which a failure names. */
async function inRounds(shareOfTime: number, round: (seed: number) => Promise<void>): Promise<void> {
  const endsAtMs = performance.now() + seconds * 1000 * shareOfTime
  for (let seed = firstSeed; seed === firstSeed || performance.now() < endsAtMs; seed += 1) await round(seed)
}

const ProcedureError = z.object({ code: z.string(), status: z.int(), message: z.string().min(1) })

function hasProcedureError(reply: LightMyRequestResponse): boolean {
  const parsed = ProcedureError.safeParse(jsonOf(reply))
  return parsed.success && parsed.data.status === reply.statusCode
}

const DeviceError = z.object({ code: z.string(), message: z.string().min(1) })
const RegistryError = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string() })).min(1) })

const hasDeviceError = (reply: LightMyRequestResponse): boolean => DeviceError.safeParse(jsonOf(reply)).success
const hasRegistryError = (reply: LightMyRequestResponse): boolean =>
  reply.body === '' || RegistryError.safeParse(jsonOf(reply)).success

function jsonOf(reply: LightMyRequestResponse): unknown {
  try {
    return JSON.parse(reply.body)
  } catch {
    // Not JSON, so it is not the documented body either.
    return undefined
  }
}

/** The one-time welcome and the sign-in doors end or begin sessions; they have tests of their own. */
const procedures = walkProcedures(api).filter(({ meta }) => meta.permission !== 'public')

function serverErrors(): number[] {
  expect(world.answered.get(400)).toBeGreaterThan(10)
  return [...world.answered.keys()].filter((status) => status >= 500)
}

test(
  'no input of any procedure is a 5xx, and what is refused leaves nothing behind',
  async () => {
    await inRounds(0.6, async (seed) => {
      for (const entry of procedures) {
        const inputs = inputsOf((entry.procedure['~orpc'].inputSchema as z.ZodType | undefined) ?? z.object({}))
        for (const input of fc.sample(inputs, { seed, numRuns: 3 })) {
          await world.send(whatOf(entry.name, seed, input), requestOf(entry, world.resolve(input)), hasProcedureError)
        }
      }
    })
    expect([...world.answered.keys()]).toEqual(expect.arrayContaining([200, 400, 404, 409]))
  },
  timeoutMs,
)

function whatOf(name: string, seed: number, input: unknown): string {
  return `${name} with seed ${seed}: ${JSON.stringify(input).slice(0, 1000)}`
}

/** Path parameters go into the path, the rest into the query or the body, as a client does it. */
function requestOf({ route }: ProcedureEntry, input: Json): InjectOptions {
  const isObject = isRecord(input)
  const fields: Record<string, Json> = isObject ? { ...input } : {}
  const path = (route.path ?? '').replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const value = fields[name] ?? 'missing'
    delete fields[name]
    return encode(typeof value === 'string' ? value.slice(0, 2000) : (JSON.stringify(value) ?? '').slice(0, 2000))
  })
  const method = route.method ?? 'POST'
  const url = `/api${path}`
  if (method === 'GET') return { method, url: `${url}?${queryOf(fields)}`, headers: world.headers }
  const headers = { ...world.headers, 'content-type': 'application/json' }
  return { method, url, headers, payload: JSON.stringify(isObject ? fields : input) }
}

function isRecord(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function queryOf(fields: object): string {
  const pairs = Object.entries(fields).map(([name, value]: [string, Json]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `${encode(name)}=${encode(text.slice(0, 10_000))}`
  })
  return pairs.join('&')
}

/** Half a pair of surrogates cannot be encoded; such a text can only come in a body. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()) || '%20'
}

const broken: readonly (readonly [string, string, string | Buffer])[] = [
  ['cut JSON', 'application/json', '{"a":'],
  ['no JSON', 'application/json', 'hello'],
  ['an empty body', 'application/json', ''],
  ['broken UTF-8', 'application/json', Buffer.from([0x22, 0xff, 0xfe, 0xc3, 0x22])],
  ['broken UTF-8 in a text', 'application/json', Buffer.from('{"name":"a\xC3(","code":"\xFF"}', 'latin1')],
  ['NUL in JSON', 'application/json', '{"code":"a\\u0000b","name":"\\u0000"}'],
  ['a bare NUL', 'application/json', '\0'],
  ['depth', 'application/json', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`],
  ['depth of arrays', 'application/json', '['.repeat(100_000)],
  ['a poisoned prototype', 'application/json', '{"__proto__":{"a":1},"constructor":{"prototype":{"a":1}}}'],
  ['a huge number', 'application/json', `{"limit":${'9'.repeat(5000)}}`],
  ['two of a name', 'application/json', '{"code":"a","code":"b"}'],
  ['too much', 'application/json', JSON.stringify('x'.repeat(1_100_000))],
  ['XML', 'application/xml', '<a/>'],
  ['a form', 'application/x-www-form-urlencoded', 'code=a&name=b'],
  ['parts', 'multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--x--'],
  ['broken parts', 'multipart/form-data', 'nothing'],
  ['text', 'text/plain', 'code'],
  ['CSV', 'text/csv', 'code,name\n"a'],
  ['CSV with NUL', 'text/csv', 'code,name,timeZone\na,\0,Europe/London\n'],
  ['CSV in another encoding', 'text/csv', Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x2c, 0x00])],
  ['no type at all', '', 'x'],
  ['a type that is none', 'hello; ;=', '{}'],
  ['another character set', 'application/json; charset=utf-16', '{}'],
]

test(
  'no body that is not what it says is a 5xx, whatever procedure it goes to',
  async () => {
    for (const { name, route } of procedures) {
      if (route.method === 'GET') continue
      const url = `/api${(route.path ?? '').replaceAll(/\{\w+\}/g, 'REL-0001')}`
      for (const [what, type, payload] of broken) {
        const headers = { ...world.headers, ...(type !== '' && { 'content-type': type }) }
        const request = { method: route.method ?? 'POST', url, headers, payload }
        await world.send(`${name} with ${what}`, request, hasProcedureError, 20)
      }
    }
    expect(serverErrors()).toEqual([])
  },
  timeoutMs,
)

test(
  'no address is a 5xx: broken escapes, climbing paths, hostile cursors',
  async () => {
    const parts = ['%', '%ff', '%00', '%c0%ae', '..%2f..%2f', 'a'.repeat(5000), '%F0%9F%92%A9', '\\', ';', '%2e%2e']
    for (const [index, { name, route }] of procedures.entries()) {
      const method = route.method ?? 'POST'
      for (const [turn, part] of parts.entries()) {
        if (!isTurn(index, turn)) continue
        const url = `/api${(route.path ?? '').replaceAll(/\{\w+\}/g, part)}`
        await world.send(
          `${name} at ${url.slice(0, 100)}`,
          { method, url, headers: world.headers },
          hasProcedureError,
          20,
        )
        const cursors = [
          part,
          Buffer.from(part).toString('base64url'),
          Buffer.from(`["${part}",1]`).toString('base64url'),
        ]
        for (const after of method === 'GET' ? cursors : []) {
          const listed = `/api${(route.path ?? '').replaceAll(/\{\w+\}/g, 'REL-0001')}?after=${after}&limit=2&query=${part}`
          await world.send(
            `${name} at ${listed.slice(0, 200)}`,
            { method, url: listed, headers: world.headers },
            hasProcedureError,
            20,
          )
        }
      }
    }
    expect(serverErrors()).toEqual([])
  },
  timeoutMs,
)

test(
  'no device, known or not, gets a 5xx for what it says',
  async () => {
    const doors = [
      { path: devicePaths.enrol, schema: Enrol, isSigned: false },
      { path: devicePaths.checkIn, schema: CheckIn, isSigned: true },
      { path: devicePaths.reports, schema: Reports, isSigned: true },
    ]
    await inRounds(0.2, async (seed) => {
      for (const { path, schema, isSigned } of doors) {
        for (const input of fc.sample(inputsOf(schema), { seed, numRuns: 8 })) {
          const body = Buffer.from(JSON.stringify(world.resolve(input)))
          const headers = isSigned ? signed(path, body) : { 'content-type': 'application/json' }
          await world.send(
            whatOf(path, seed, input),
            { method: 'POST', url: path, headers, payload: body },
            hasDeviceError,
          )
        }
      }
    })
    for (const { path, isSigned } of doors) {
      for (const [what, type, payload] of broken) {
        const body = Buffer.from(payload)
        const type_ = type === '' ? {} : { 'content-type': type }
        const headers = isSigned ? { ...signed(path, body), ...type_ } : type_
        await world.send(`${path} with ${what}`, { method: 'POST', url: path, headers, payload: body }, hasDeviceError)
      }
      for (const value of ['', 'sig1=', 'sig1=:////:', '"', 'sig1=("@method");created=x', '\u00e9', 'x'.repeat(8000)]) {
        const headers = { 'signature-input': value, signature: value, 'content-digest': value }
        await world.send(
          `${path} signed ${value.slice(0, 40)}`,
          { method: 'POST', url: path, headers, payload: '{}' },
          hasDeviceError,
        )
      }
    }
    expect(serverErrors()).toEqual([])
  },
  timeoutMs,
)

let sequence = 1_000_000

function signed(path: string, body: Buffer): Record<string, string> {
  sequence += 1
  const now = world.server.services.now()
  return {
    'content-type': 'application/json',
    ...signRequest(deviceKey(1), { method: 'POST', path, body, seq: sequence, now }),
  }
}

test(
  'no registry client and no upload gets a 5xx, and a manifest that is refused is not in the library',
  async () => {
    const names = ['salesdesk', 'a', '..', '%2e%2e', 'A B', '%00', '%ff', 'x'.repeat(300), 'a/b', '🦆']
    const digests = [
      `sha256:${'a'.repeat(64)}`,
      'sha256:',
      'sha512:00',
      '%00',
      'latest',
      '../x',
      '1.0.0',
      'x'.repeat(5000),
    ]
    const bodies = [
      ...broken.map(([, , payload]) => payload),
      JSON.stringify({ schemaVersion: 2 }),
      manifestOf('\0'),
      manifestOf('salesdesk'),
    ]
    const types = [
      'application/vnd.oci.image.index.v1+json',
      'application/vnd.oci.image.manifest.v1+json',
      'text/html',
      '',
    ]
    await inRounds(0.2, async (seed) => {
      const requests = fc.record({
        method: fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'),
        name: fc.constantFrom(...names),
        reference: fc.constantFrom(...digests),
        kind: fc.constantFrom('manifests/', 'blobs/', 'blobs/uploads/', 'tags/list', 'blobs/uploads/?digest='),
        body: fc.constantFrom(...bodies),
        type: fc.constantFrom(...types),
        range: fc.constantFrom('', 'bytes=0-', 'bytes=9-1', '0-1', '99999999999999999999-1', 'x'),
      })
      for (const { method, name, reference, kind, body, type, range } of fc.sample(requests, { seed, numRuns: 60 })) {
        const url = `/v2/${name}/${kind}${kind === 'tags/list' ? '' : reference}`
        const headers = {
          ...world.headers,
          ...(type !== '' && { 'content-type': type }),
          ...(range !== '' && { range, 'content-range': range }),
        }
        const what = `${method} ${url.slice(0, 200)} with seed ${seed}, ${JSON.stringify({ type, range, body }).slice(0, 300)}`
        const isOwnError = (reply: LightMyRequestResponse): boolean =>
          hasRegistryError(reply) || hasProcedureError(reply)
        const hasBody = method !== 'GET' && method !== 'HEAD'
        await world.send(what, { method, url, headers, ...(hasBody && { payload: body }) }, isOwnError)
      }
    })
    expect(serverErrors()).toEqual([])
  },
  timeoutMs,
)

function manifestOf(name: string): string {
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: `sha256:${'0'.repeat(64)}`, size: 2 }
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const annotations = { 'org.opencontainers.image.title': name }
  return JSON.stringify({ schemaVersion: 2, mediaType, manifests: [config], annotations })
}
