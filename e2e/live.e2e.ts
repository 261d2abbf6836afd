import { givenBoard } from './harness/board.ts'
import { ada, givenAda, givenDevices, givenEstate, givenInstalled, givenRelease } from './harness/given.ts'
import { openDialog, phaseLine, signIn, startRollout } from './harness/pages.ts'
import { expect, test } from './harness/test.ts'

test.use({ mayLoseServer: true })

test('the server is killed under an open page: the page says so, switches its acts off, and goes on by itself', async ({
  page,
  bascule,
}) => {
  const api = await givenAda(bascule)
  await givenEstate(api)
  const names = ['shop-leeds-1', 'shop-leeds-2', 'shop-leeds-3']
  const fleet = names.map((name) => ({ name, site: 'leeds', orgUnit: 'shops', roles: ['shop'] }))
  const devices = await givenDevices(bascule, api, fleet)
  const board = await givenBoard(bascule, api, ada)
  await givenInstalled(api, board, '0.27.2')
  const releaseId = await givenRelease(api, {
    title: 'esbuild 0.28',
    version: '0.28.2',
    phases: [{ name: 'Leeds', query: 'site:leeds', inFlightMax: 1 }],
  })
  await signIn(page, bascule, `/releases/${releaseId}`)
  const live = page.getByRole('banner').or(page.getByRole('main')).getByText('Live', { exact: true }).first()
  const resume = page.getByRole('button', { name: 'Resume' })

  await test.step('a rollout stands paused before its devices are done', async () => {
    await expect(live).toBeVisible()
    await startRollout(page, board)
    await page.getByRole('button', { name: 'Pause rollout' }).click()
    await openDialog(page).getByRole('button', { name: 'Later' }).click()
    await expect(resume).toBeEnabled()
  })

  await test.step('without the server the page says how old its numbers are and why it does not act', async () => {
    await bascule.kill()
    await expect(page.getByText(/^Reconnecting, numbers from \d\d:\d\d/).first()).toBeVisible()
    await expect(resume).toBeDisabled()
    await expect(resume).toHaveAccessibleDescription(/numbers on this page are old/)
    await page.getByRole('button', { name: 'More actions' }).click()
    await expect(page.getByRole('menuitem', { name: 'Back out' })).toBeDisabled()
    await page.keyboard.press('Escape')
  })

  await test.step('with the server back it is live again, nothing is lost, and the rollout goes on', async () => {
    await bascule.startAgain()
    await expect(live).toBeVisible({ timeout: 30_000 })
    await expect(page.getByText(/Reconnecting/)).toHaveCount(0)
    await resume.click()
    await openDialog(page).getByLabel('Reason').fill('The server is back')
    await openDialog(page).getByRole('button', { name: 'Resume rollout' }).click()
    await expect(phaseLine(page, '1. Leeds')).toContainText('Complete', { timeout: 90_000 })
    for (const device of devices) expect(await device.runs(), device.name).toBe('0.28.2')
  })
})
