import { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { verifyAssignment } from '@bascule/trust/assignment.ts'
import { isInAudience } from '@bascule/trust/merkle.ts'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureDeviceItems } from '#/estate/configuration/device-items.ts'
import { viewRollout } from '#/views/releases/rollout-view.ts'
import { grantInstalls } from './job/grant-installs.ts'
import { excuseDevice, retryJobs } from './job/job.service.ts'
import { offerJobs } from './job/offer-jobs.ts'
import { commitReports } from './receipt/commit-reports.ts'
import { backOut, pauseRollout, resumeRollout } from './rollout/rollout.service.ts'
import { startRollout } from './rollout/start-rollout.ts'
import {
  aReport,
  aRollout,
  addDevices,
  countersOf,
  createDeliveryWorld,
  deviceKey,
  recount,
  startOfTests,
  type DeliveryWorld,
} from './testing/delivery-world.ts'

const now = startOfTests
const worlds: DeliveryWorld[] = []
let world: DeliveryWorld

beforeAll(async () => {
  world = await newWorld()
})
afterAll(async () => {
  for (const one of worlds) await one[Symbol.asyncDispose]()
})

async function newWorld(): Promise<DeliveryWorld> {
  const made = await createDeliveryWorld()
  worlds.push(made)
  return made
}

/** Every device of a phase takes its job; answers job ids by device. */
async function takeJobs(
  here: DeliveryWorld,
  rolloutId: number,
  devices: readonly number[],
  phase = 1,
): Promise<Map<number, number>> {
  const offers = devices.map((deviceId) => ({ deviceId, work: [{ rolloutId, phase, action: 'install' as const }] }))
  await offerJobs(here.assignments, offers, now)
  const rows = await here.db.selectFrom('job').select(['id', 'device_id']).where('rollout_id', '=', rolloutId).execute()
  return new Map(rows.map((row) => [row.device_id, row.id]))
}

async function phaseStates(here: DeliveryWorld, rolloutId: number): Promise<string[]> {
  const rows = await here.db
    .selectFrom('phase')
    .select('state')
    .where('rollout_id', '=', rolloutId)
    .orderBy('ord')
    .execute()
  return rows.map((row) => row.state)
}

test('a rollout goes from the start through its phases to early life, and every count adds up', async () => {
  await addDevices(world.db, 6)
  const { rolloutId, releaseId } = await aRollout(world, [{ query: 'name:ws-000001' }, {}])
  await world.reconcile(rolloutId)
  expect(await phaseStates(world, rolloutId)).toEqual(['open', 'waiting'])

  const first = await takeJobs(world, rolloutId, [1])
  await commitReports(world.db, [aReport(1, first.get(1)!, 1, 'staged')], now)
  expect(await grantInstalls(world.db, [{ deviceId: 1, jobId: first.get(1)! }], now)).toEqual([{ proceed: true }])
  await commitReports(world.db, [aReport(1, first.get(1)!, 2, 'committed')], now)
  await world.reconcile(rolloutId)
  expect(await phaseStates(world, rolloutId)).toEqual(['succeeded', 'open'])

  const rest = await takeJobs(world, rolloutId, [2, 3, 4, 5, 6], 2)
  for (const device of [2, 3, 4, 5, 6])
    await commitReports(world.db, [aReport(device, rest.get(device)!, 1, 'committed')], now)
  await world.reconcile(rolloutId)
  expect(await phaseStates(world, rolloutId)).toEqual(['succeeded', 'succeeded'])
  const rollout = await world.db
    .selectFrom('rollout')
    .select('state')
    .where('id', '=', rolloutId)
    .executeTakeFirstOrThrow()
  const release = await world.db
    .selectFrom('release')
    .select('state')
    .where('id', '=', releaseId)
    .executeTakeFirstOrThrow()
  expect([rollout.state, release.state]).toEqual(['completed', 'early-life'])
  expect(await countersOf(world.db)).toEqual(await recount(world.db))
})

test('the assignment a device gets is signed, for this device alone, and proves that it belongs to the phase', async () => {
  const here = await newWorld()
  await addDevices(here.db, 3)
  const { rolloutId } = await aRollout(here, [{}])
  await here.reconcile(rolloutId)
  await takeJobs(here, rolloutId, [2])
  const row = await here.db.selectFrom('assignment').selectAll().where('device_id', '=', 2).executeTakeFirstOrThrow()
  const expected = { directorKey: here.directorKey, device: deviceKey(2).keyId, lastGeneration: 0, now }
  const verified = verifyAssignment(row.document, expected)
  if (!verified.ok) throw new Error(verified.error.message)

  const target = Object.values(verified.value.targets)[0]!
  const bytes = await here.blobs.open(`sha256:${target.hashes.sha256}`)
  const manifest = ReleaseManifest.parse(JSON.parse(await text(bytes!)))
  expect(isInAudience(deviceKey(2).keyId, target.custom.audienceProof!, manifest.phases[0]!.audienceRoot!)).toBe(true)
  expect(isInAudience(deviceKey(9).keyId, target.custom.audienceProof!, manifest.phases[0]!.audienceRoot!)).toBe(false)
  expect(verifyAssignment(row.document, { ...expected, device: deviceKey(3).keyId }).ok).toBe(false)
})

test('failed plus in flight never exceeds the cap, and nobody passes once the budget is spent', async () => {
  const here = await newWorld()
  await addDevices(here.db, 10)
  const { rolloutId } = await aRollout(here, [{ failureBudget: 2, inFlightMax: 3 }, { query: 'name:none' }])
  await here.reconcile(rolloutId)
  const jobs = await takeJobs(
    here,
    rolloutId,
    Array.from({ length: 10 }, (_, at) => at + 1),
  )
  const asks = [...jobs].map(([deviceId, jobId]) => ({ deviceId, jobId }))
  const granted = (await grantInstalls(here.db, asks, now)).filter((grant) => grant.proceed)
  expect(granted).toHaveLength(3)

  const going = asks.slice(0, 3)
  for (const { deviceId, jobId } of going.slice(0, 2))
    await commitReports(here.db, [aReport(deviceId, jobId, 1, 'rolled-back')], now)
  const after = await grantInstalls(here.db, asks.slice(3), now)
  expect(after.every((grant) => !grant.proceed)).toBe(true)
  expect(after[0]).toMatchObject({ reason: expect.stringContaining('2 of 2 allowed failures') })
  await here.reconcile(rolloutId)
  expect(await phaseStates(here, rolloutId)).toEqual(['failed', 'waiting'])
  const rollout = await here.db.selectFrom('rollout').selectAll().where('id', '=', rolloutId).executeTakeFirstOrThrow()
  expect(rollout).toMatchObject({ state: 'paused', pause_reason: '2 devices failed, 2 stop the phase.' })
})

test('a report that comes again moves nothing a second time', async () => {
  const here = await newWorld()
  await addDevices(here.db, 2)
  const { rolloutId } = await aRollout(here, [{}])
  await here.reconcile(rolloutId)
  const jobs = await takeJobs(here, rolloutId, [1, 2])
  const report = aReport(1, jobs.get(1)!, 1, 'committed')
  await commitReports(here.db, [report], now)
  await commitReports(here.db, [report, report], now)
  const facts = await here.db.selectFrom('ledger').select('did').where('did', '=', 'job.succeeded').execute()
  expect(facts).toHaveLength(1)
  expect(await countersOf(here.db)).toEqual(await recount(here.db))
  const history = await here.db.selectFrom('ci_history').selectAll().execute()
  const again = history.filter((row) => (row as { receipt_id?: string | null }).receipt_id === '1/1/salesdesk')
  expect(again.length).toBeLessThanOrEqual(1)
})

test('a receipt that another key signed proves nothing', async () => {
  const here = await newWorld()
  await addDevices(here.db, 1)
  const { rolloutId } = await aRollout(here, [{}])
  await here.reconcile(rolloutId)
  const jobs = await takeJobs(here, rolloutId, [1])
  await commitReports(here.db, [{ ...aReport(1, jobs.get(1)!, 1, 'committed'), receiptValid: false }], now)
  const job = await here.db.selectFrom('job').selectAll().executeTakeFirstOrThrow()
  expect(job).toMatchObject({ state: 'failed-needs-human', stuck_reason: 'trust' })
})

test('a pause stops devices that have not begun: also one whose go was lost on its way and that asks again', async () => {
  const here = await newWorld()
  await addDevices(here.db, 2)
  const { rolloutId, releaseId } = await aRollout(here, [{}])
  await here.reconcile(rolloutId)
  const jobs = await takeJobs(here, rolloutId, [1, 2])
  const [one, two] = [1, 2].map((deviceId) => ({ deviceId, jobId: jobs.get(deviceId)! }))
  expect(await grantInstalls(here.db, [one!, one!], now)).toEqual([{ proceed: true }, { proceed: true }])
  expect((await pauseRollout(here.call, releaseId, undefined)).ok).toBe(true)
  expect(await grantInstalls(here.db, [one!, two!], now)).toMatchObject([{ proceed: false }, { proceed: false }])
  expect(await countersOf(here.db)).toEqual(await recount(here.db))
  expect((await resumeRollout(here.call, releaseId, 'looked at it')).ok).toBe(true)
  expect(await grantInstalls(here.db, [two!], now)).toEqual([{ proceed: true }])
})

test('backing out one phase gives its devices a job back and touches no other phase', async () => {
  const here = await newWorld()
  await addDevices(here.db, 3)
  const { rolloutId, releaseId } = await aRollout(here, [{ query: 'name:ws-000001' }, {}])
  await here.reconcile(rolloutId)
  const first = await takeJobs(here, rolloutId, [1])
  await commitReports(here.db, [aReport(1, first.get(1)!, 1, 'committed')], now)
  await here.reconcile(rolloutId)
  await takeJobs(here, rolloutId, [2], 2)
  expect(await backOut(here.call, releaseId, { phase: 1, reason: 'slow', confirm: 'wrong' })).toMatchObject({
    error: { refusal: { rule: 'not-confirmed' } },
  })
  expect((await backOut(here.call, releaseId, { phase: 1, reason: 'slow', confirm: 'Sales Desk' })).ok).toBe(true)

  await offerJobs(here.assignments, [{ deviceId: 1, work: [{ rolloutId, phase: 1, action: 'back-out' }] }], now)
  const job = await here.db.selectFrom('job').selectAll().where('device_id', '=', 1).executeTakeFirstOrThrow()
  expect(job).toMatchObject({ action: 'back-out', state: 'assigned', attempt: 2 })
  await commitReports(here.db, [aReport(1, job.id, 2, 'committed')], now)
  await here.reconcile(rolloutId)
  expect(await phaseStates(here, rolloutId)).toEqual(['backed-out', 'open'])
  const other = await here.db.selectFrom('job').selectAll().where('device_id', '=', 2).executeTakeFirstOrThrow()
  expect(other).toMatchObject({ action: 'install', state: 'assigned' })
  expect(await countersOf(here.db)).toEqual(await recount(here.db))
})

test('a failed device gets a new job, an excused one leaves the count', async () => {
  const here = await newWorld()
  await addDevices(here.db, 3)
  const { rolloutId, releaseId } = await aRollout(here, [{ failureBudget: 9 }])
  await here.reconcile(rolloutId)
  const jobs = await takeJobs(here, rolloutId, [1])
  await commitReports(here.db, [aReport(1, jobs.get(1)!, 1, 'rolled-back')], now)
  expect(await retryJobs(here.call, releaseId, [deviceKey(1).keyId])).toEqual({ ok: true, value: 1 })
  expect((await excuseDevice(here.call, releaseId, deviceKey(3).keyId, 'in repair')).ok).toBe(true)
  const rows = await here.db.selectFrom('job').select(['device_id', 'state', 'attempt']).orderBy('device_id').execute()
  expect(rows).toEqual([
    { device_id: 1, state: 'assigned', attempt: 2 },
    { device_id: 3, state: 'excused', attempt: 1 },
  ])
  expect(await countersOf(here.db)).toEqual(await recount(here.db))
})

test('a release with devices in no phase does not start, and says what to do', async () => {
  const here = await newWorld()
  await addDevices(here.db, 2)
  await expect(aRollout(here, [{ query: 'name:ws-000001' }])).rejects.toThrow('devices-without-phase')
  const left = await here.db.selectFrom('rollout').select('id').execute()
  expect(left).toEqual([])
})

test('a started release cannot be started again', async () => {
  const here = await newWorld()
  await addDevices(here.db, 1)
  const { releaseId } = await aRollout(here, [{}])
  expect(await startRollout(here.call, here.boards.repository, releaseId)).toMatchObject({
    error: { refusal: { rule: 'release-not-authorised' } },
  })
})

test('a receipt about the job of another device changes nothing of the CMDB and nothing of that job', async () => {
  const here = await newWorld()
  await addDevices(here.db, 2)
  await ensureDeviceItems(here.db, [1, 2], now)
  const { rolloutId } = await aRollout(here, [{}])
  await here.reconcile(rolloutId)
  const jobs = await takeJobs(here, rolloutId, [1, 2])
  await commitReports(here.db, [aReport(1, jobs.get(2)!, 1, 'committed')], now)
  const runs = () => here.db.selectFrom('ci_relation').select('from_id').where('kind', '=', 'runs').execute()
  expect(await runs()).toEqual([])
  const { state } = await here.db.selectFrom('job').select('state').where('device_id', '=', 2).executeTakeFirstOrThrow()
  expect(state).toBe('assigned')
  await commitReports(here.db, [aReport(1, jobs.get(1)!, 2, 'committed')], now)
  expect(await runs()).toHaveLength(1)
})

test('a device that vanishes in flight gives its place back as far as the plan lets devices go quiet, and is shown as that', async () => {
  const here = await newWorld()
  await addDevices(here.db, 5)
  const { rolloutId, releaseId } = await aRollout(here, [{ inFlightMax: 2, silenceBudget: 1 }])
  await here.reconcile(rolloutId)
  const jobs = await takeJobs(here, rolloutId, [1, 2, 3, 4, 5])
  const quiet = new Set<number>()
  const ask = async (device: number) => {
    const asked = [{ deviceId: device, jobId: jobs.get(device)! }]
    return (await grantInstalls(here.db, asked, now, (index) => quiet.has(index)))[0]!.proceed
  }
  expect([await ask(1), await ask(2), await ask(3)]).toEqual([true, true, false])
  quiet.add(1)
  expect([await ask(3), await ask(4)]).toEqual([true, false])
  // More have vanished than may: the second keeps its place.
  quiet.add(2)
  expect(await ask(4)).toBe(false)
  const countSilent = () => ({ notStarted: 0, inProgress: 2, blocked: 0, inFlight: 2 })
  const view = await viewRollout({ db: here.db, countSilent }, releaseId, now)
  expect(view?.causes).toMatchObject([{ kind: 'silent', cause: 'vanished', devices: 2 }])
  expect(view?.whole).toMatchObject({ inFlight: 3, vanished: 2, byBucket: { silent: 2, 'in-progress': 3 } })
  // Who comes back goes on; its place is taken again, so nobody follows until two have ended.
  quiet.clear()
  expect(await ask(4)).toBe(false)
  await commitReports(here.db, [aReport(1, jobs.get(1)!, 1, 'committed')], now)
  expect(await ask(4)).toBe(false)
  await commitReports(here.db, [aReport(2, jobs.get(2)!, 1, 'committed')], now)
  expect(await ask(4)).toBe(true)
  expect(await countersOf(here.db)).toEqual(await recount(here.db))
})
