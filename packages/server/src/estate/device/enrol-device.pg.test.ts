import { createHash } from 'node:crypto'
import { type Enrol, Enrolled } from '@bascule/contract/device/protocol.ts'
import type { EnrolmentTokenInput } from '@bascule/contract/estate/enrolment-token.ts'
import { signEnrolProof } from '@bascule/trust/enrol-proof.ts'
import { generateKeyPair, type KeyPair, tufKeyOf } from '@bascule/trust/keys.ts'
import { createTestDatabase, type TestDatabase } from '@bascule/testkit/test-database.ts'
import Fastify from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type DatabaseHandle } from '#/platform/db/connect.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import {
  createEnrolmentToken,
  listEnrolmentTokens,
  revokeEnrolmentToken,
} from '../enrolment-token/enrolment-token.service.ts'
import { addPlaces, orgUnitIdOf, siteIdOf } from '../testing/fleet-of.ts'
import { registerEnrolment } from './enrol.routes.ts'
import { createFleet } from './fleet.ts'
import { enrolDevice } from './enrol-device.service.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00Z')
const admin: Actor = { kind: 'person', id: 'p1', name: 'Mira', grants: [{ role: 'administrator' }] }
let database: TestDatabase
let handle: DatabaseHandle

beforeAll(async () => {
  database = await createTestDatabase()
  handle = await connect({ connection: database.address, poolSize: 8 })
  await addPlaces(handle.db)
})

afterAll(async () => {
  await handle[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

async function aToken(input: Partial<EnrolmentTokenInput> = {}) {
  const made = await createEnrolmentToken(
    { db: handle.db, actor: admin, now },
    { label: 'test', roles: [], autoApprove: true, usesMax: 1, validHours: 1, ...input },
    'the first root',
  )
  if (!made.ok) throw new Error(JSON.stringify(made.error))
  return made.value
}

function anEnrolment(key: KeyPair, token: string): Enrol {
  const createdAt = now.toString()
  return {
    protocol: 1,
    token,
    publicKey: key.publicKey,
    name: 'WS-1',
    agentVersion: '1.2.3',
    facts: { os: 'Linux', site: 'york', 'disk.free.bytes': 5_000_000 },
    createdAt,
    proof: signEnrolProof(key, { token, createdAt }),
  }
}

async function enrol(key: KeyPair, token: string, at = now, address = '10.0.0.9') {
  return await enrolDevice(handle.db, at, anEnrolment(key, token), address)
}

test('a device with a good token is active at once, with the place and roles of the token and not its own', async () => {
  const { token } = await aToken({ site: 'leeds', orgUnit: 'inside-sales', roles: ['sales'] })
  const key = generateKeyPair()
  expect(await enrol(key, token)).toEqual({ ok: true, value: { keyId: key.keyId, state: 'active' } })
  const row = await handle.db.selectFrom('device').selectAll().where('key_id', '=', key.keyId).executeTakeFirstOrThrow()
  expect(row).toMatchObject({
    site_id: siteIdOf('leeds'),
    org_unit_id: orgUnitIdOf('inside-sales'),
    roles: ['sales'],
    state: 'active',
  })
  expect(row.facts).toEqual({ os: 'Linux', 'disk.free.bytes': 5_000_000, 'agent.version': '1.2.3' })
  const facts = await handle.db
    .selectFrom('ledger')
    .select(['did', 'actor_kind'])
    .where('subject_id', '=', key.keyId)
    .execute()
  expect(facts).toEqual([{ did: 'device.enrolled', actor_kind: 'device' }])
})

test('enrolling again with the same key gives the same answer and uses nothing up, even when the token is gone', async () => {
  const made = await aToken()
  const key = generateKeyPair()
  const first = await enrol(key, made.token)
  expect(await enrol(key, made.token)).toEqual(first)
  await revokeEnrolmentToken({ db: handle.db, actor: admin, now }, made.id)
  expect(await enrol(key, made.token)).toEqual(first)
  const { items } = await listEnrolmentTokens({ db: handle.db, actor: admin, now }, { limit: 100 })
  expect(items.find((item) => item.id === made.id)).toMatchObject({ uses: 1, state: 'revoked' })
})

test('a token for three devices lets in exactly three, however many ask at once', async () => {
  const { token } = await aToken({ usesMax: 3 })
  const answers = await Promise.all(Array.from({ length: 8 }, async () => await enrol(generateKeyPair(), token)))
  expect(answers.filter((answer) => answer.ok)).toHaveLength(3)
  expect(answers.find((answer) => !answer.ok)).toMatchObject({
    error: { code: 'token-refused', message: expect.stringContaining('3 of 3') },
  })
})

test('without automatic approval the device waits for a person', async () => {
  const { token } = await aToken({ autoApprove: false })
  expect(await enrol(generateKeyPair(), token)).toMatchObject({ ok: true, value: { state: 'pending' } })
})

test('an unknown, expired or revoked token and one from another network let nobody in', async () => {
  const key = generateKeyPair()
  expect(await enrol(key, 'bet_nothing')).toMatchObject({ error: { code: 'token-refused' } })
  const good = await aToken({ fromNetwork: '192.168.0.0/16' })
  expect(await enrol(key, good.token)).toMatchObject({ error: { message: expect.stringContaining('192.168.0.0/16') } })
  expect(await enrol(key, good.token, now.add({ hours: 2 }), '192.168.1.1')).toMatchObject({
    error: { message: expect.stringContaining('expired') },
  })
  await revokeEnrolmentToken({ db: handle.db, actor: admin, now }, good.id)
  expect(await enrol(key, good.token, now, '192.168.1.1')).toMatchObject({
    error: { message: expect.stringContaining('revoked') },
  })
})

test('a proof made by another key, or for another token, stores nothing', async () => {
  const { token } = await aToken()
  const [key, other] = [generateKeyPair(), generateKeyPair()]
  const enrolment = anEnrolment(key, token)
  const forged = [
    { ...enrolment, publicKey: other.publicKey },
    { ...enrolment, proof: anEnrolment(key, 'another').proof },
  ]
  for (const one of forged) {
    expect(await enrolDevice(handle.db, now, one, '10.0.0.9')).toMatchObject({
      ok: false,
      error: { code: 'bad-signature' },
    })
  }
  const rows = await handle.db
    .selectFrom('device')
    .select('id')
    .where('key_id', 'in', [key.keyId, other.keyId])
    .execute()
  expect(rows).toEqual([])
})

test('who sees the devices of one site sees the tokens for that site only', async () => {
  const { id } = await aToken({ site: 'leeds' })
  await aToken({ site: 'york' })
  await aToken()
  const inLeeds: Actor = { ...admin, grants: [{ role: 'operations', site: siteIdOf('leeds') }] }
  const { items } = await listEnrolmentTokens({ db: handle.db, actor: inLeeds, now }, { limit: 100 })
  expect(items.map((token) => token.id)).toContain(id)
  expect(new Set(items.map((token) => token.site))).toEqual(new Set(['leeds']))
})

test('only the hash of a token is stored', async () => {
  const { token } = await aToken()
  const rows = await handle.db.selectFrom('enrolment_token').selectAll().execute()
  const ledger = await handle.db.selectFrom('ledger').selectAll().execute()
  expect(JSON.stringify([rows, ledger])).not.toContain(token)
})

test('a token names a site in force, and only who may enrol there makes one', async () => {
  const call = { db: handle.db, actor: admin, now }
  const input = { label: '', roles: [], autoApprove: false, usesMax: 1, validHours: 1 }
  expect(await createEnrolmentToken(call, { ...input, site: 'nowhere' }, null)).toMatchObject({
    error: { kind: 'bad-input', problems: [{ field: 'site' }] },
  })
  const local: Actor = { ...admin, grants: [{ role: 'administrator', site: siteIdOf('york') }] }
  expect(await createEnrolmentToken({ ...call, actor: local }, { ...input, site: 'leeds' }, null)).toMatchObject({
    error: { kind: 'forbidden' },
  })
  expect(await createEnrolmentToken({ ...call, actor: local }, { ...input, site: 'york' }, null)).toMatchObject({
    ok: true,
    value: { rootSha256: null },
  })
  // What sha256sum says of the first root: a person may compare it with a ceremony sheet.
  const given = await createEnrolmentToken(call, input, 'the first root')
  expect(given.ok && given.value.rootSha256).toBe(createHash('sha256').update('the first root').digest('hex'))
})

test('over HTTP a device gets its state and the key to pin, the fleet knows it at once, and bad input names its field', async () => {
  const fleet = createFleet({ database: handle, now: () => now, checkInSeconds: 900 })
  const directorKey = tufKeyOf(generateKeyPair().publicKey)
  await using app = Fastify()
  registerEnrolment(app, {
    db: handle.db,
    fleet,
    now: () => now,
    epoch: 'epoch-1',
    directorKey: async () => await Promise.resolve(directorKey),
    checkInSeconds: 900,
    firstRoot: async () => await Promise.resolve('the first root'),
  })
  const post = async (body: object) => await app.inject({ method: 'POST', url: '/device/v1/enrol', payload: body })
  const key = generateKeyPair()
  const { token } = await aToken()
  const bad = await post({ ...anEnrolment(key, token), name: 'no spaces here' })
  expect(bad.statusCode).toBe(400)
  expect(bad.json()).toMatchObject({ code: 'bad-input', message: expect.stringMatching(/^name: /) })
  expect((await post(anEnrolment(key, 'bet_wrong'))).statusCode).toBe(403)

  const good = await post(anEnrolment(key, token))
  expect(good.statusCode).toBe(200)
  expect(Enrolled.parse(good.json())).toMatchObject({
    deviceId: key.keyId,
    state: 'active',
    serverEpoch: 'epoch-1',
    directorKey,
    root: 'the first root',
  })
  expect(fleet.find(key.keyId)).toMatchObject({ state: 'active', publicKey: key.publicKey })
})
