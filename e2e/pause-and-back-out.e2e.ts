import type { Api } from '#scripts/start/api.ts'
import { until } from '#scripts/start/until.ts'
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
import type { GivenDevice } from './harness/given.ts'
import { pageProblems } from './harness/page-problems.ts'
import { openDialog, phaseLine, signIn, startRollout } from './harness/pages.ts'
import { expect, test } from './harness/test.ts'

const title = 'esbuild 0.28'
const at = (site: string, name: string): GivenDevice => ({ name, site, orgUnit: 'shops', roles: ['shop'] })
const fleet = [
  ...['shop-leeds-1', 'shop-leeds-2', 'shop-leeds-3', 'shop-leeds-4'].map((name) => at('leeds', name)),
  ...['shop-porto-1', 'shop-porto-2'].map((name) => at('porto', name)),
]

test('a rollout is paused in the middle, explained, resumed, and one phase of it is taken back', async ({
  page,
  bascule,
}) => {
  const api = await givenAda(bascule)
  await givenEstate(api)
  const devices = await givenDevices(bascule, api, fleet)
  const board = await givenBoard(bascule, api, ada)
  await givenInstalled(api, board, '0.27.2')
  const releaseId = await givenRelease(api, {
    title,
    version: '0.28.2',
    phases: [
      { name: 'Leeds', query: 'site:leeds', inFlightMax: 1 },
      { name: 'Everybody else', query: '' },
    ],
  })
  await signIn(page, bascule, `/releases/${releaseId}`)
  const versions = async (of: string) =>
    await Promise.all(devices.filter(({ name }) => name.includes(of)).map(async (device) => await device.runs()))

  await test.step('pause acts at once and asks for the reason after', async () => {
    await startRollout(page, board)
    await expect.poll(async () => (await rolloutOf(api, releaseId)).phases[0]?.tally.verified).toBeGreaterThan(0)
    await page.getByRole('button', { name: 'Pause rollout' }).click()
    const dialog = openDialog(page)
    await expect(dialog).toContainText('Paused. Why?')
    expect((await rolloutOf(api, releaseId)).state).toBe('paused')
    await dialog.getByLabel('Reason').fill('The shop in Leeds opens late today')
    await dialog.getByRole('button', { name: 'Keep the reason' }).click()
    await expect(dialog).toBeHidden()
    await expect(page.getByText('The shop in Leeds opens late today').first()).toBeVisible()
  })

  await test.step('devices that had not begun do not install, however often they ask', async () => {
    await until('who was installing has finished', async () => (await inFlightOf(api, releaseId)) === 0)
    const verified = await verifiedOf(api, releaseId)
    expect(verified).toBeLessThan(4)
    const seen = await lastSeen(api)
    for (let round = 0; round < 2; round += 1) await everybodyAskedAgain(api, round === 0 ? seen : await lastSeen(api))
    expect(await verifiedOf(api, releaseId)).toBe(verified)
    expect((await versions('leeds')).filter((version) => version === '0.27.2')).toHaveLength(4 - verified)
    await expect(page.getByText('Paused, phase 1 of 2')).toBeVisible()
  })

  await test.step('it is resumed with a reason and comes to its end', async () => {
    await page.getByRole('button', { name: 'Actions of phase 1' }).click()
    await page.getByRole('menuitem', { name: 'Pause this phase' }).click()
    await openDialog(page).getByLabel('Reason').fill('Leeds first needs a hand')
    await openDialog(page).getByRole('button', { name: 'Pause phase' }).click()
    await expect(openDialog(page)).toBeHidden()
    await page.getByRole('button', { name: 'Resume' }).click()
    await openDialog(page).getByLabel('Reason').fill('The shop is open')
    await openDialog(page).getByRole('button', { name: 'Resume rollout' }).click()
    await expect(openDialog(page)).toBeHidden()
    await page.getByRole('button', { name: 'Actions of phase 1' }).click()
    await page.getByRole('menuitem', { name: 'Let it go on' }).click()
    expect.soft(await pageProblems(page), 'the dialog for going on').toEqual([])
    await openDialog(page).getByLabel('At a time').fill('3')
    await openDialog(page).getByLabel('Reason').fill('Two more hands are there')
    await openDialog(page).getByRole('button', { name: 'Go on' }).click()
    await expect(openDialog(page)).toBeHidden()
    await expect(phaseLine(page, '1. Leeds')).toContainText('At most 3 at a time')
    await expect(phaseLine(page, '2. Everybody else')).toContainText('Complete', { timeout: 90_000 })
    expect(await versions('')).toEqual(fleet.map(() => '0.28.2'))
  })

  await test.step('one phase goes back, and only its devices', async () => {
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Back out' }).click()
    const dialog = openDialog(page)
    await expect(dialog.getByLabel('Reason')).toBeFocused()
    await dialog.getByText('Phase 2 only').click()
    await expect(dialog).toContainText('2 devices return to the version from before')
    await expect(dialog).not.toContainText('had no earlier version')
    expect.soft(await pageProblems(page), 'the dialog for going back').toEqual([])
    await expect(dialog).toContainText('devices of other phases keep what they have')
    await dialog.getByLabel('Reason').fill('Porto has no training yet')
    await dialog.getByLabel('Type').fill(title)
    await dialog.getByRole('button', { name: 'Back out' }).click()
    await expect(dialog).toBeHidden()
    await expect(phaseLine(page, '2. Everybody else')).toContainText('Backed out', { timeout: 60_000 })
    await expect(phaseLine(page, '1. Leeds')).toContainText('Complete')
    expect(await versions('porto')).toEqual(['0.27.2', '0.27.2'])
    expect(await versions('leeds')).toEqual(['0.28.2', '0.28.2', '0.28.2', '0.28.2'])
    const jobs = await jobsOf(api, releaseId)
    expect(jobs.filter(({ state }) => state === 'rolled-back').map(({ device }) => device)).toEqual(
      expect.arrayContaining(['shop-porto-1', 'shop-porto-2']),
    )
    expect(jobs.filter(({ state }) => state === 'succeeded')).toHaveLength(4)
  })
})

async function inFlightOf(api: Api, releaseId: string): Promise<number | undefined> {
  return (await rolloutOf(api, releaseId)).phases[0]?.tally.inFlight
}

async function verifiedOf(api: Api, releaseId: string): Promise<number> {
  return (await rolloutOf(api, releaseId)).phases[0]?.tally.verified ?? 0
}

/** When each device last spoke to the server. */
async function lastSeen(api: Api): Promise<ReadonlyMap<string, string | null>> {
  const { items } = await api.get<{ items: { name: string; lastSeenAt: string | null }[] }>('/devices?query=')
  return new Map(items.map(({ name, lastSeenAt }) => [name, lastSeenAt]))
}

/** Every device has spoken to the server since then, and so has heard again what it may do. */
async function everybodyAskedAgain(api: Api, since: ReadonlyMap<string, string | null>): Promise<void> {
  await until('every device has asked again', async () => {
    const now = await lastSeen(api)
    return [...now].every(([name, seenAt]) => seenAt !== since.get(name))
  })
}
