import type { Page } from '@playwright/test'
import { connectApi } from '#scripts/start/api.ts'
import type { Bascule } from './harness/bascule.ts'
import { givenBoard } from './harness/board.ts'
import { startDevice } from './harness/devices.ts'
import type { Device } from './harness/devices.ts'
import { ada } from './harness/given.ts'
import { demoPackages } from './harness/packages.ts'
import { choose, claimWithLink, go, goToSettings, openDialog, phaseLine, startRollout } from './harness/pages.ts'
import { expect, test } from './harness/test.ts'

const models = ['Desk 5', 'Desk 5', 'Counter 3', 'Counter 3', 'Counter 3', 'Counter 1']

test('from an empty installation to a release that is verified on six devices, in the browser', async ({
  page,
  bascule,
}) => {
  const packages = await demoPackages()

  await test.step('Ada opens the link of the first start and becomes administrator and, as offered, release manager', async () => {
    await claimWithLink(page, bascule, { without: 'Configuration manager' })
    await goToSettings(page, 'Roles')
    const given = page.getByRole('row').filter({ hasText: ada.name })
    for (const role of ['Administrator', 'Release manager', 'Board member']) {
      await expect(given.filter({ hasText: role })).toHaveCount(1)
    }
    await expect(given.filter({ hasText: 'Configuration manager' })).toHaveCount(0)
  })

  await test.step('a role that she gives herself later works without a reload', async () => {
    await page.getByRole('button', { name: 'Give role' }).click()
    await choose(openDialog(page), 'Person', ada.name)
    await choose(openDialog(page), 'Role', 'Configuration manager')
    await openDialog(page).getByRole('button', { name: 'Give role' }).click()
    await expect(page.getByRole('row').filter({ hasText: 'Configuration manager' })).toContainText(ada.name)
  })

  await test.step('she says whose product it is', async () => {
    await goToSettings(page, 'Product lines')
    await page.getByRole('button', { name: 'Add product line' }).click()
    await openDialog(page).getByLabel('Name').fill('Build tools')
    await openDialog(page).getByLabel('Code').fill('build-tools')
    await openDialog(page).getByRole('button', { name: 'Add product line' }).click()
    await expect(page.getByRole('row').filter({ hasText: 'build-tools' })).toBeVisible()
  })

  const board =
    await test.step('at her command line she holds the first ceremony, a board of one with a recovery key on paper', async () => {
      return await givenBoard(bascule, connectApi(bascule.url, { cookie: await cookieOf(page) }), ada)
    })

  const devices = await test.step('she makes one token, and six real agents enrol with it', async () => {
    const token = await makeToken(page)
    const started = await Promise.all(models.map(async (model, at) => await enrol(bascule, token, model, at)))
    await go(page, 'Fleet')
    for (const { name } of started) await expect(page.getByRole('link', { name })).toBeVisible({ timeout: 60_000 })
    await expect(page.getByRole('heading', { level: 1 })).toContainText('6 devices')
    return started
  })

  await test.step('she uploads the old version, then the new one', async () => {
    await upload(page, packages.old.tar, packages.old.version)
    await upload(page, packages.new.tar, packages.new.version)
    await go(page, 'Library')
    await expect(page.getByRole('row').filter({ hasText: 'esbuild' })).toContainText(packages.new.version)
    await expect(page.getByRole('row').filter({ hasText: 'esbuild' }).getByRole('cell').nth(2)).toHaveText('2')
  })

  await test.step('the first release brings the old version to every device', async () => {
    await planRelease(page, 'esbuild 0.27', packages.old.version, [{ name: 'Everybody', query: '', devices: 6 }])
    await startRollout(page, board)
    await expect(phaseLine(page, '1. Everybody')).toContainText('Complete', { timeout: 90_000 })
    for (const device of devices) expect(await device.runs(), device.name).toBe(packages.old.version)
  })

  await test.step('the second has three phases, and the page counts them while she plans', async () => {
    await planRelease(page, 'esbuild 0.28', packages.new.version, [
      { name: 'Pilot', query: 'hardware.model:"Desk 5"', devices: 2 },
      { name: 'Half', query: 'sample:50%' },
      { name: 'Everybody else', query: '' },
    ])
  })

  await test.step('she starts it and watches it finish without a reload', async () => {
    await page.evaluate("globalThis.wasNeverReloaded = 'yes'")
    await startRollout(page, board)
    await expect(phaseLine(page, '1. Pilot')).toContainText('Complete', { timeout: 90_000 })
    await expect(phaseLine(page, '2. Half')).toContainText('Complete', { timeout: 90_000 })
    await expect(phaseLine(page, '3. Everybody else')).toContainText('Complete', { timeout: 90_000 })
    await expect(page.getByText('6 of 6 verified')).toBeVisible()
    await expect(page.getByText('Complete', { exact: true }).first()).toBeVisible()
    expect(await page.evaluate('globalThis.wasNeverReloaded')).toBe('yes')
    for (const device of devices) expect(await device.runs(), device.name).toBe(packages.new.version)
    expect(await devices[0]?.status()).toContain('Runs esbuild 0.28.2')
  })

  await test.step('a device shows what it runs, the receipt that it signed, and its one row of the CMDB', async () => {
    await go(page, 'Fleet')
    await page.getByRole('link', { name: 'ws-1' }).click()
    await expect(page.getByRole('heading', { level: 1 })).toContainText('ws-1')
    await expect(page.getByRole('table', { name: 'Runs' }).getByRole('row').nth(1)).toContainText('0.28.2')
    await page.getByText('Receipt, signature checked').first().click()
    await expect(page.getByRole('list', { name: 'Verification levels' }).first().getByRole('listitem')).toHaveText([
      /Delivered(?!:)/,
      /Authorised(?!:)/,
      /Present(?!:)/,
      /Every file intact(?!:)/,
      /Works(?!:)/,
    ])
    await expect(page.getByRole('listitem').filter({ hasText: '0.27.2 → 0.28.2' }).first()).toBeVisible()
    await expect(page.getByRole('row').filter({ hasText: '0.27.2 → 0.28.2' })).toHaveCount(1)
  })

  await test.step('the CMDB has exactly one update per device, with before and after', async () => {
    const api = connectApi(bascule.url, { cookie: await cookieOf(page) })
    const { items: releases } = await api.get<{ items: { id: string; title: string }[] }>('/releases?search=0.28')
    const { items } = await api.get<{ items: ChangeSeen[] }>(
      `/estate/configuration/changes?release=${releases[0]?.id}&limit=100`,
    )
    const updates = items.filter(({ change }) => change === 'updated')
    expect(updates.map(({ item }) => item.name).toSorted()).toEqual(devices.map(({ name }) => name).toSorted())
    for (const { before, after } of updates) {
      expect(before).toMatchObject({ version: packages.old.version })
      expect(after).toMatchObject({ version: packages.new.version })
    }
  })

  await test.step('the ledger says who did what, and every seal holds', async () => {
    await goToSettings(page, 'Ledger')
    await expect(page.getByText(/Ada Keeper.*started/i).first()).toBeVisible()
    await page.getByRole('button', { name: 'Check every seal' }).click()
    await expect(page.getByText(/^Intact: \d+ facts/)).toBeVisible()
  })
})

interface ChangeSeen {
  readonly change: string
  readonly item: { readonly name: string }
  readonly before: unknown
  readonly after: unknown
}

async function makeToken(page: Page): Promise<string> {
  await goToSettings(page, 'Enrolment')
  await page.getByRole('button', { name: 'Make token' }).click()
  const dialog = openDialog(page)
  await dialog.getByLabel('Label').fill('Six machines of the workshop')
  await dialog.getByLabel('Devices').fill('6')
  await choose(dialog, 'Approval', 'Devices are approved at once')
  await dialog.getByRole('button', { name: 'Make token' }).click()
  await expect(dialog).toBeHidden()
  const shownOnce = page.getByRole('status').filter({ hasText: 'not shown again' }).locator('code').first()
  const [, token] = /BASCULE_TOKEN=(\S+)/.exec(await shownOnce.innerText()) ?? []
  if (token === undefined) throw new Error('The page does not show what to type on the devices.')
  return token
}

async function enrol(bascule: Bascule, token: string, model: string, at: number): Promise<Device> {
  return await startDevice(bascule, { name: `ws-${at + 1}`, token, facts: { 'hardware.model': model } })
}

async function upload(page: Page, tar: string, version: string): Promise<void> {
  await go(page, 'Library')
  await page.getByRole('button', { name: 'Upload package' }).click()
  const dialog = openDialog(page)
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    dialog.getByRole('button', { name: 'Package' }).click(),
  ])
  await chooser.setFiles(tar)
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click()
  await expect(page.getByRole('heading', { level: 2, name: `Version ${version}` })).toBeVisible({ timeout: 60_000 })
  await expect(page.getByText('bin/bundle-report')).toBeVisible()
}

interface PhaseOnPage {
  readonly name: string
  readonly query: string
  /** How many the page has to say that the phase would reach; left out where chance decides. */
  readonly devices?: number
}

/** Fills in the plan, and plans it once the page says whom each phase would reach: together the whole fleet. */
async function planRelease(page: Page, title: string, version: string, phases: readonly PhaseOnPage[]): Promise<void> {
  await go(page, 'Releases')
  await page.getByRole('link', { name: 'New release' }).click()
  await page.getByLabel('Title').fill(title)
  await page.getByRole('textbox', { name: 'Version', exact: true }).fill(version)
  await choose(page, 'Product line', 'Build tools')
  await page.getByRole('combobox', { name: 'Package 1', exact: true }).fill('esbuild')
  await page.getByRole('combobox', { name: 'Version of package 1' }).fill(version)
  await page.getByLabel('Audience').fill('os:linux')
  const lines = page.getByRole('group', { name: /^Phase \d/ })
  await expect(lines.first()).toBeVisible()
  for (let extra = await lines.count(); extra > phases.length; extra -= 1)
    await page.getByRole('button', { name: `Remove phase ${extra}` }).click()
  for (const [at, phase] of phases.entries()) {
    await lines.nth(at).getByLabel('Name').fill(phase.name)
    await lines.nth(at).getByLabel('Query').fill(phase.query)
    await lines.nth(at).getByLabel('Advance at').fill('100')
    await lines.nth(at).getByLabel('Soak').fill('0')
  }
  await expect(page.getByText('6 devices match now')).toBeVisible()
  await expect
    .poll(async () => {
      const counts = await phaseCounts(page, phases.length)
      const isAsExpected = phases.every(({ devices }, at) => devices === undefined || counts[at] === devices)
      return isAsExpected && counts.reduce((sum, count) => sum + count, 0)
    })
    .toBe(6)
  await page.getByRole('button', { name: 'Plan release' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toContainText(title)
}

async function phaseCounts(page: Page, phases: number): Promise<number[]> {
  const texts = await page
    .getByRole('group', { name: /^Phase \d/ })
    .locator('legend')
    .allInnerTexts()
  return texts.slice(0, phases).map((text) => Number(/(\d+) devices?/.exec(text)?.[1] ?? -100))
}

async function cookieOf(page: Page): Promise<string> {
  const cookies = await page.context().cookies()
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}
