import type { Page } from '@playwright/test'
import { ada, givenAda, givenDevices, givenEstate, givenRelease } from './harness/given.ts'
import { go, openDialog, settled, signIn } from './harness/pages.ts'
import { expect, test } from './harness/test.ts'

test('what a person wants to see again is kept: columns, views, pinned releases and how close rows stand', async ({
  page,
  bascule,
}) => {
  const api = await givenAda(bascule)
  await givenEstate(api)
  const device = (name: string, site: string) => {
    return { name, site, orgUnit: 'shops', roles: ['shop'], facts: { 'hardware.model': 'Counter 3' } }
  }
  await givenDevices(bascule, api, [device('shop-leeds-1', 'leeds'), device('shop-porto-1', 'porto')])
  await givenRelease(api, { title: 'Page builder', version: '0.28.2', phases: [{ name: 'Everybody', query: '' }] })
  await signIn(page, bascule)

  await test.step('the columns that she chooses stand there, in the address and at the next visit', async () => {
    await go(page, 'Fleet')
    await expect(header(page, 'User')).toBeVisible()
    await page.getByRole('button', { name: 'Columns' }).click()
    await page.getByRole('checkbox', { name: 'User' }).uncheck()
    await page.getByRole('checkbox', { name: 'Model' }).check()
    await expect(page.getByRole('checkbox', { name: 'Device', exact: true })).toBeDisabled()
    await page.keyboard.press('Escape')
    await expect(header(page, 'User')).toHaveCount(0)
    await expect(row(page, 'shop-leeds-1')).toContainText('Counter 3')
    expect(new URL(page.url()).searchParams.get('cols')).toContain('model')
    await go(page, 'Today')
    await go(page, 'Fleet')
    await expect(header(page, 'Model')).toBeVisible()
    expect(new URL(page.url()).searchParams.get('cols')).toContain('model')
  })

  await test.step('a saved view brings back filter, order and columns', async () => {
    await page.getByRole('textbox', { name: 'Filter devices' }).fill('site:leeds')
    await expect(row(page, 'shop-porto-1')).toHaveCount(0)
    await header(page, 'Last seen').getByRole('button').click()
    await page.getByRole('button', { name: 'Save view' }).click()
    await openDialog(page).getByLabel('Name').fill('Leeds')
    await openDialog(page).getByRole('button', { name: 'Save view' }).click()
    await expect(openDialog(page)).toBeHidden()
    const saved = new URL(page.url()).searchParams
    await views(page).getByRole('link', { name: 'All devices' }).click()
    await expect(row(page, 'shop-porto-1')).toBeVisible()
    await views(page).getByRole('link', { name: 'Leeds' }).click()
    await expect(row(page, 'shop-porto-1')).toHaveCount(0)
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual(Object.fromEntries(saved))
    await expect(header(page, 'Last seen')).toHaveAttribute('aria-sort', /ascending|descending/)
  })

  await test.step('a change of it is seen and saved, it gets another name, and its deletion is taken back', async () => {
    await header(page, 'Site').getByRole('button').click()
    await expect(views(page).getByRole('link', { name: 'Leeds changed' })).toBeVisible()
    await more(page, 'Leeds', 'Save changes')
    await expect(views(page).getByRole('link', { name: 'Leeds', exact: true })).toBeVisible()
    await more(page, 'Leeds', 'Rename…')
    await openDialog(page).getByLabel('Name').fill('Leeds by site')
    await openDialog(page).getByRole('button', { name: 'Rename' }).click()
    await expect(openDialog(page)).toBeHidden()
    await more(page, 'Leeds by site', 'Delete')
    await expect(views(page)).toHaveCount(0)
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect(views(page).getByRole('link', { name: 'Leeds by site' })).toHaveAttribute('aria-current', 'page')
  })

  await test.step('a pinned release is at hand on every page, with how it stands', async () => {
    await go(page, 'Releases')
    await page.getByRole('button', { name: 'Pin Page builder 0.28.2', exact: true }).click()
    const pinned = page.getByRole('navigation', { name: 'Main' }).getByRole('region', { name: 'Pinned' })
    await go(page, 'Library')
    await expect(pinned.getByRole('link')).toContainText('Draft')
    await pinned.getByRole('link', { name: 'Page builder 0.28.2' }).click()
    await expect(page.getByRole('heading', { level: 1 })).toContainText('Page builder')
    await go(page, 'Releases')
    await page.getByRole('button', { name: 'Unpin Page builder 0.28.2' }).click()
    await expect(pinned).toHaveCount(0)
  })

  await test.step('rows stand as close as she likes, also after a reload', async () => {
    await go(page, 'Fleet')
    await page.getByRole('button', { name: ada.name }).click()
    await page.getByRole('menuitem', { name: 'Comfortable rows' }).click()
    await expect.poll(() => heightOf(page, 'shop-leeds-1')).toBe(40)
    await page.reload()
    await settled(page)
    await expect.poll(() => heightOf(page, 'shop-leeds-1')).toBe(40)
  })
})

function header(page: Page, name: string) {
  return page.getByRole('table', { name: 'Devices' }).getByRole('columnheader', { name, exact: true })
}

function row(page: Page, name: string) {
  return page.getByRole('table', { name: 'Devices' }).getByRole('row').filter({ hasText: name })
}

function views(page: Page) {
  return page.getByRole('navigation', { name: 'Saved views' })
}

async function more(page: Page, view: string, act: string): Promise<void> {
  await page.getByRole('button', { name: `More for ${view}`, exact: true }).click()
  await page.getByRole('menuitem', { name: act }).click()
}

async function heightOf(page: Page, device: string): Promise<number | undefined> {
  return (await row(page, device).boundingBox())?.height
}
