import type { ReceiptSigned } from '@bascule/contract/device/protocol.ts'
import { signReceipt } from '@bascule/trust/receipt.ts'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { offerJobs } from '#/deliver/job/offer-jobs.ts'
import { commitReports } from '#/deliver/receipt/commit-reports.ts'
import {
  aReport,
  aRollout,
  addDevices,
  createDeliveryWorld,
  deviceKey,
  startOfTests as now,
} from '#/deliver/testing/delivery-world.ts'
import { ensureDeviceItems } from '#/estate/configuration/device-items.ts'
import { createFleet } from '#/estate/device/fleet.ts'
import { viewDevice } from './device-view.ts'

const mona = '1'.repeat(64)
const milo = '2'.repeat(64)
const stranger = '3'.repeat(64)

async function aDevice() {
  const world = await createDeliveryWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  const { db } = world
  await addDevices(db, 1)
  await ensureDeviceItems(db, [1], now)
  const { rolloutId } = await aRollout(world, [{}])
  await world.reconcile(rolloutId)
  await offerJobs(world.assignments, [{ deviceId: 1, work: [{ rolloutId, phase: 1, action: 'install' }] }], now)
  const { id: job } = await db.selectFrom('job').select('id').executeTakeFirstOrThrow()
  await sql`insert into person (id, name, email, created_at)
    values ('00000000-0000-4000-8000-00000000000a', 'Mona Reed', 'mona@example.org', now())`.execute(db)
  await sql`insert into member_key (key_id, public_key, level, label, person_id, created_at) values
    (${mona}, ${mona}, 3, 'laptop', '00000000-0000-4000-8000-00000000000a', now()),
    (${milo}, ${milo}, 3, 'Recovery key on paper', null, now())`.execute(db)
  const fleet = createFleet({ database: world.handle, now: () => now, checkInSeconds: 60 })
  const view = async () => {
    const found = await viewDevice({ ...world.call, fleet }, deviceKey(1).keyId)
    if (!found.ok) throw new Error(JSON.stringify(found.error))
    return found.value
  }
  const report = async (seq: number, change: Partial<ReceiptSigned>, receiptValid = true) => {
    const { report: plain } = aReport(1, job, seq, 'committed')
    if (!plain.receipt) throw new Error('no receipt')
    const receipt = signReceipt({ ...plain.receipt.signed, ...change }, deviceKey(1))
    await commitReports(db, [{ deviceId: 1, report: { ...plain, receipt }, sentence: 'Done.', receiptValid }], now)
  }
  return { db, view, report }
}

const by = { role: 'desk.sales-desk', version: 12, rootVersion: 1, snapshotVersion: 30, threshold: 2 }

test('beside an installed release stands who let it on, by the names of the keys that the device counted', async () => {
  const { view, report } = await aDevice()
  await report(1, { authorisedBy: { ...by, signers: [mona, milo, stranger] } })
  expect((await view()).packages).toMatchObject([
    {
      releaseId: 'REL-0001',
      authorisedBy: {
        role: 'desk.sales-desk',
        version: 12,
        threshold: 2,
        signers: [
          { keyId: mona, name: 'Mona Reed' },
          { keyId: milo, name: 'Recovery key on paper' },
          { keyId: stranger, name: null },
        ],
        at: now.toString(),
      },
    },
  ])
})

test('a receipt that the device did not sign says nothing, and neither does one without an authority', async () => {
  const { view, report } = await aDevice()
  await report(1, {})
  expect((await view()).packages.map(({ authorisedBy }) => authorisedBy)).toEqual([null])
  await report(2, { authorisedBy: { ...by, signers: [mona] } }, false)
  expect((await view()).packages.map(({ authorisedBy }) => authorisedBy)).toEqual([null])
  await report(3, { authorisedBy: { ...by, version: 13, signers: [mona] } })
  await report(4, {})
  expect((await view()).packages.map(({ authorisedBy }) => authorisedBy?.version)).toEqual([13])
})

test('how a device came to its first root is what it says, and nothing when it says something else', async () => {
  const { db, view } = await aDevice()
  expect((await view()).trustAnchor).toBe('none')
  for (const anchor of ['fingerprint', 'first-use', 'something']) {
    await sql`update device set facts = facts || jsonb_build_object('trust.anchor', ${anchor}::text)`.execute(db)
    expect((await view()).trustAnchor).toBe(anchor === 'something' ? 'none' : anchor)
  }
})
