import { setTimeout as pause } from 'node:timers/promises'
import type { Api } from '#scripts/start/api.ts'
import { givenBoard } from './harness/board.ts'
import {
  ada,
  givenAda,
  givenDevices,
  givenEstate,
  givenInstalled,
  givenRelease,
  jobsOf,
  rolloutOf,
} from './harness/given.ts'
import type { GivenDevice, JobSeen } from './harness/given.ts'
import { openDialog, phaseLine, signIn, startRollout } from './harness/pages.ts'
import { expect, test } from './harness/test.ts'

const title = 'esbuild for everybody'
/** At most so many devices may be hurt at a time, and so many failures end the phase. */
const inFlightMax = 3
const failureBudget = 2

const fleet: readonly GivenDevice[] = [
  ...['shop-leeds-1', 'shop-leeds-2', 'shop-leeds-3', 'shop-leeds-4'].map((name) => ({
    name,
    site: 'leeds',
    orgUnit: 'shops',
    roles: ['shop'],
  })),
  ...['shop-porto-1', 'shop-porto-2'].map((name) => ({ name, site: 'porto', orgUnit: 'shops', roles: ['shop'] })),
]

test('a bad version stops itself: devices return alone, the budget holds, and a person backs it out', async ({
  page,
  bascule,
}) => {
  const api = await givenAda(bascule)
  await givenEstate(api)
  const devices = await givenDevices(bascule, api, fleet)
  const board = await givenBoard(bascule, api, ada)
  await givenInstalled(api, board, '0.28.2')
  const releaseId = await givenRelease(api, {
    title,
    version: '0.28.3-bad',
    phases: [
      { name: 'Leeds', query: 'site:leeds', inFlightMax, failureBudget },
      { name: 'Everybody else', query: '' },
    ],
  })
  await signIn(page, bascule, `/releases/${releaseId}`)

  await test.step('the rollout stops by itself and never hurts more than its plan allows', async () => {
    const watching = new AbortController()
    const watched = watchCap(api, releaseId, watching.signal)
    await startRollout(page, board)
    await expect(page.getByText('Paused, phase 1 of 2')).toBeVisible({ timeout: 90_000 })
    await everybodyIsHome(api, releaseId)
    watching.abort()
    expect(await watched).toBeGreaterThan(2)
  })

  await test.step('the cockpit says that it stopped, by which rule, and why devices failed', async () => {
    const { phases } = await rolloutOf(api, releaseId)
    const failed = phases[0]?.tally.failures ?? 0
    expect(failed).toBeGreaterThanOrEqual(failureBudget)
    await expect(page.getByText(/\d devices? failed, 2 stop the phase\./).first()).toBeVisible()
    await expect(phaseLine(page, '1. Leeds')).toContainText('Failed')
    await expect(phaseLine(page, '2. Everybody else')).toContainText('Planned')
    await expect(page.getByText('this build is broken').first()).toBeVisible()
    await expect(page.getByText(/Went back by itself/).first()).toBeVisible()
    await expect(page.getByRole('region', { name: 'Activity' })).toContainText(/Rollout: paused\. \d devices? failed/)
  })

  await test.step('every device runs the version it had, and the later phase was never touched', async () => {
    for (const device of devices) expect(await device.runs(), device.name).toBe('0.28.2')
    const jobs = await jobsOf(api, releaseId)
    expect(new Set(jobs.map((job) => job.phase))).toEqual(new Set([1]))
    const begun = (await receiptsOf(api, jobs)).filter((receipt) => receipt.outcome === 'rolled-back')
    expect(begun.length).toBeLessThanOrEqual(inFlightMax)
    expect(begun.length).toBe(jobs.filter((job) => job.state === 'rolled-back').length)
    for (const { cause, packages } of begun) {
      expect(cause).toContain('this build is broken')
      expect(packages).toMatchObject([{ name: 'esbuild', before: '0.28.2', after: '0.28.2' }])
    }
  })

  await test.step('a failed phase cannot simply be resumed', async () => {
    await page.getByRole('button', { name: 'Resume' }).click()
    await openDialog(page).getByLabel('Reason').fill('It will surely work now')
    await openDialog(page).getByRole('button', { name: 'Resume rollout' }).click()
    await expect(openDialog(page).getByRole('alert')).toContainText('The phase "Leeds" has failed.')
    await openDialog(page).getByRole('button', { name: 'Cancel' }).click()
    await expect(openDialog(page)).toBeHidden()
  })

  await test.step('it is backed out from the browser, with the name typed', async () => {
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Back out' }).click()
    const dialog = openDialog(page)
    const backOut = dialog.getByRole('button', { name: 'Back out' })
    await dialog.getByLabel('Reason').fill('This build does not start')
    await dialog.getByLabel('Type').fill('esbuild for everyone')
    await expect(backOut).toBeDisabled()
    await dialog.getByLabel('Type').fill(title)
    await backOut.click()
    await expect(dialog).toBeHidden()
    await expect(page.getByText('Backed out').first()).toBeVisible({ timeout: 60_000 })
    await expect.poll(async () => (await rolloutOf(api, releaseId)).state, { timeout: 60_000 }).toBe('backed-out')
    for (const device of devices) expect(await device.runs(), device.name).toBe('0.28.2')
  })
})

const begunStates = new Set(['installing', 'interrupted', 'recovering', 'awaiting-restart', 'verifying', 'held'])
const hasBegun = ({ state }: JobSeen) => begunStates.has(state) || state === 'rolling-back' || state === 'rolled-back'

/**
 * Looks at the rollout again and again while it runs. With a version that helps nobody, whoever has begun has failed or
 * is in flight: never more than the cap, and once the budget is spent nobody joins them. Answers how often it looked.
 */
async function watchCap(api: Api, releaseId: string, signal: AbortSignal): Promise<number> {
  let looked = 0
  let begunWhenSpent: ReadonlySet<string> | undefined
  while (!signal.aborted) {
    const jobs = await jobsOf(api, releaseId).catch((cause: Error) => {
      if (cause.message.includes('404')) return [] // It has not started yet.
      throw cause
    })
    const begun = jobs.filter(hasBegun)
    expect(begun.length, 'failed and in flight').toBeLessThanOrEqual(inFlightMax)
    for (const job of begun) if (begunWhenSpent) expect([...begunWhenSpent]).toContain(job.device)
    const failed = jobs.filter((job) => job.state === 'rolled-back')
    if (failed.length >= failureBudget) begunWhenSpent ??= new Set(begun.map((job) => job.device))
    if (jobs.length > 0) looked += 1
    await pause(50)
  }
  return looked
}

/** Nobody is in the middle of an install any more. */
async function everybodyIsHome(api: Api, releaseId: string): Promise<void> {
  await expect
    .poll(async () => (await rolloutOf(api, releaseId)).phases[0]?.tally.inFlight, { timeout: 60_000 })
    .toBe(0)
}

interface ReceiptSeen {
  readonly outcome: string
  readonly cause: string | null
  readonly packages: readonly { name: string; before: string | null; after: string | null }[]
}

/** The receipts that these devices signed for this release. */
async function receiptsOf(api: Api, jobs: readonly JobSeen[]): Promise<ReceiptSeen[]> {
  const found: ReceiptSeen[] = []
  for (const { deviceId, job } of jobs) {
    const { items } = await api.get<{ items: { job: string; receipt: { signed: ReceiptSeen } | null }[] }>(
      `/devices/${deviceId}/reports?limit=100`,
    )
    for (const report of items) if (report.job === job && report.receipt) found.push(report.receipt.signed)
  }
  return found
}
