import { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { ReleasePlan } from '@bascule/contract/plan/release.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { authorise } from '@bascule/trust/client/authorise.ts'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { unfreezeRelease } from '#/plan/release/freeze-release.ts'
import { createRelease, findRelease, setReleaseState } from '#/plan/release/release.service.ts'
import { offerJobs } from '../job/offer-jobs.ts'
import {
  addDevices,
  addLibrary,
  createDeliveryWorld,
  deviceKey,
  startOfTests as now,
} from '../testing/delivery-world.ts'
import { authorityOf, blobOf } from '../testing/verify-as-device.ts'
import { startRollout } from './start-rollout.ts'
import { membersOf } from './rollout.store.ts'

const twoPhases = [{ name: 'Pilot', query: 'name:ws-000001' }, { name: 'Everybody' }]

async function aPlan(mode: 'frozen' | 'dynamic' = 'frozen') {
  const world = await createDeliveryWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  await addDevices(world.db, 3)
  await addLibrary(world.db)
  const plan = ReleasePlan.parse({
    title: 'Sales Desk',
    version: '2.0.0',
    productLine: 'sales-desk',
    packages: [{ name: 'salesdesk', version: '2.0.0' }],
    audience: { query: 'os:linux', mode },
    phases: twoPhases,
  })
  const created = await createRelease(world.call, plan)
  if (!created.ok) throw new Error(JSON.stringify(created.error))
  const releaseId = created.value
  const start = async () => await startRollout(world.call, world.boards.repository, releaseId)
  return { ...world, world, releaseId, start }
}

test('a release whose board was not asked does not start, and says who has to say what', async () => {
  const { start, db } = await aPlan()
  expect(await start()).toMatchObject({
    ok: false,
    error: {
      refusal: {
        rule: 'release-not-authorised',
        fact: 'The release board was not asked about REL-0001.',
        lifter: 'the release board',
      },
    },
  })
  expect(await db.selectFrom('rollout').select('id').execute()).toEqual([])
})

test('a release whose board has not said Go does not start', async () => {
  const { start, world, releaseId } = await aPlan()
  await world.boards.freeze(world, releaseId)
  expect(await start()).toMatchObject({
    error: { refusal: { rule: 'release-not-authorised', fact: expect.stringMatching(/has not said Go yet/) } },
  })
})

test('whoever writes into the database that a release is authorised starts nothing: no board lists it', async () => {
  const { start, world, releaseId, db } = await aPlan()
  await world.boards.freeze(world, releaseId)
  await setReleaseState(db, releaseId, 'authorised', now.toString())
  expect(await start()).toMatchObject({
    error: { refusal: { rule: 'release-not-authorised', fact: expect.stringMatching(/^No board lists REL-0001/) } },
  })
})

test('a manifest that was exchanged after the signatures does not start', async () => {
  const { start, world, releaseId, db } = await aPlan()
  await world.boards.authorise(world, releaseId)
  await sql`update release set manifest_sha256 = ${'b'.repeat(64)} where id = ${releaseId}`.execute(db)
  expect(await start()).toMatchObject({ error: { refusal: { rule: 'release-not-authorised' } } })
})

test('what starts is what was signed, whatever became of the fleet and the library since', async () => {
  const { start, world, releaseId, db } = await aPlan()
  await world.boards.authorise(world, releaseId)
  const signed = await db
    .selectFrom('release')
    .select(['members', 'manifest_sha256', 'frozen_phases'])
    .where('id', '=', releaseId)
    .executeTakeFirstOrThrow()

  // A device more, one that is called otherwise, one that is gone, and a package that nobody would find any more.
  await sql`insert into device (key_id, public_key, name, state, state_since, agent_version, facts, terms, enrolled_at)
    values (${'f'.repeat(64)}, ${'e'.repeat(64)}, 'ws-000001x', 'active', now(), '0.1.0', '{"os":"linux"}', array['os', 'os=linux'],
      now())`.execute(db)
  await sql`update device set name = 'renamed' where id = 1`.execute(db)
  await sql`update device set state = 'revoked' where id = 2`.execute(db)
  await sql`delete from package_version`.execute(db)
  expect(await start()).toMatchObject({ ok: true })

  const rollout = await db.selectFrom('rollout').select(['id', 'path']).executeTakeFirstOrThrow()
  expect(rollout.path).toBe(`desk/sales-desk/normal/${releaseId}.json`)
  expect(Buffer.from(await membersOf(db, rollout.id)).equals(signed.members ?? Buffer.alloc(0))).toBe(true)
  const phases = await db.selectFrom('phase').select(['size', 'audience_root']).orderBy('ord').execute()
  expect(phases).toEqual(
    signed.frozen_phases?.map(({ devices, audienceRoot }) => ({ size: devices, audience_root: audienceRoot })),
  )
  expect(phases.map(({ size }) => size)).toEqual([1, 2])
  const { state, manifest_sha256: sha256 } = (await findRelease(db, releaseId)) ?? {}
  expect([state, sha256]).toEqual(['rolling-out', signed.manifest_sha256])
})

test('the manifest that is frozen is the one that devices fetch, with the limits that the board signs', async () => {
  const { world, releaseId } = await aPlan()
  const { manifest_sha256: hex, frozen_phases: phases } = await world.boards.freeze(world, releaseId)
  const bytes = await blobOf(world, hex)
  expect(sha256Hex(bytes)).toBe(hex)
  const manifest = ReleaseManifest.parse(JSON.parse(bytes.toString('utf8')))
  expect(manifest.phases.map(({ audienceRoot }) => audienceRoot)).toEqual(
    phases?.map(({ audienceRoot }) => audienceRoot),
  )
  expect(manifest.phases.every(({ audienceRoot }) => audienceRoot !== null)).toBe(true)
})

test.each(['frozen', 'dynamic'] as const)(
  'a device that verifies everything by itself installs what is %s, and another manifest not',
  async (mode) => {
    const { world, releaseId, db, start } = await aPlan(mode)
    await world.boards.authorise(world, releaseId)
    expect(await start()).toMatchObject({ ok: true })
    const { id: rolloutId } = await db.selectFrom('rollout').select('id').executeTakeFirstOrThrow()
    await world.reconcile(rolloutId)
    await offerJobs(world.assignments, [{ deviceId: 1, work: [{ rolloutId, phase: 1, action: 'install' }] }], now)
    const job = await db.selectFrom('job').select('id').executeTakeFirstOrThrow()
    const { document: assignment } = await db.selectFrom('assignment').select('document').executeTakeFirstOrThrow()
    const release = await db.selectFrom('release').select('manifest_sha256').executeTakeFirstOrThrow()
    const authority = await authorityOf(world.metadata())
    const question = {
      authority,
      assignment,
      jobId: String(job.id),
      manifestBytes: await blobOf(world, release.manifest_sha256),
      deviceId: deviceKey(1).keyId,
      installed: null,
      kept: null,
      at: now,
      memory: authority.memory,
    }
    expect(authorise(question)).toMatchObject({
      ok: true,
      value: { action: 'install', authorisedBy: { role: 'desk.sales-desk', version: 2, threshold: 2 } },
    })
    expect(authorise({ ...question, deviceId: deviceKey(2).keyId })).toMatchObject({ error: { code: 'DEVICE' } })
    expect(authorise({ ...question, manifestBytes: Buffer.from('{}') })).toMatchObject({ error: { code: 'MANIFEST' } })
  },
)

test('where the server decides who, the whole fleet is the limit that is signed', async () => {
  const { world, releaseId } = await aPlan('dynamic')
  const { frozen_phases: phases } = await world.boards.freeze(world, releaseId)
  expect(phases?.map(({ audienceRoot, permille, devices }) => [audienceRoot, permille, devices])).toEqual([
    [null, 1000, 1],
    [null, 1000, 2],
  ])
})

test('a phase without devices is signed for nobody, though it has no audience to name', async () => {
  const { world, releaseId, db } = await aPlan()
  await sql`update device set name = 'renamed' where id = 1`.execute(db)
  const { frozen_phases: phases } = await world.boards.freeze(world, releaseId)
  expect(phases?.[0]).toMatchObject({ audienceRoot: null, permille: 0, devices: 0 })
})

test('a question that was taken back leaves nothing frozen, and the next one takes the next counter', async () => {
  const { world, releaseId, db } = await aPlan()
  await world.boards.freeze(world, releaseId)
  await unfreezeRelease(db, releaseId, now)
  const row = await db.selectFrom('release').selectAll().where('id', '=', releaseId).executeTakeFirstOrThrow()
  expect([row.state, row.counter, row.manifest_sha256, row.members, row.frozen_phases, row.audience]).toEqual([
    'planned',
    null,
    null,
    null,
    null,
    null,
  ])
  expect((await world.boards.freeze(world, releaseId)).counter).toBe(2)
})
