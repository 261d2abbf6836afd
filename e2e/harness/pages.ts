import { expect } from '@playwright/test'
import type { Locator, Page } from '@playwright/test'
import type { Board } from './board.ts'
import type { Bascule } from './bascule.ts'
import { ada } from './given.ts'

// What people do on the pages, by what they read there. Nothing here knows how a page is laid out.

/** Becomes the first administrator with the link that the first start printed, with the roles that are offered but one. */
export async function claimWithLink(page: Page, bascule: Bascule, { without }: { without: string }): Promise<void> {
  await page.goto(bascule.welcomeLink)
  await page.getByLabel('Your name').fill(ada.name)
  await page.getByLabel('E-mail address').fill(ada.email)
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByRole('checkbox', { name: without }).uncheck()
  await page.getByRole('button', { name: 'Become administrator' }).click()
  await page.getByRole('heading', { level: 1, name: 'Today' }).waitFor()
}

export async function signIn(page: Page, bascule: Bascule, path = '/'): Promise<void> {
  await page.goto(`${bascule.url}/sign-in?next=${encodeURIComponent(path)}`)
  await page.getByLabel('E-mail address').fill(ada.email)
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => url.pathname === path)
}

/** Goes somewhere as a person does: by the navigation, not by an address. */
export async function go(page: Page, place: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: place, exact: true }).click()
  await page.getByRole('heading', { level: 1, name: place }).waitFor()
}

export async function goToSettings(page: Page, section: string): Promise<void> {
  await go(page, 'Settings')
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: section, exact: true }).click()
  await page.getByRole('heading', { level: 2, name: section }).waitFor()
}

/** Chooses from a list that filters while one types. */
export async function choose(within: Page | Locator, label: string, option: string): Promise<void> {
  const field = within.getByRole('combobox', { name: label }).or(within.getByRole('textbox', { name: label }))
  await field.first().click()
  const page = 'page' in within ? within.page() : within
  await page.getByRole('option', { name: option, exact: true }).click()
}

export function openDialog(page: Page): Locator {
  return page.getByRole('dialog')
}

/** Asks the board about the release whose cockpit is open, has it signed outside of the browser, and starts the rollout. */
export async function startRollout(page: Page, board: Board): Promise<void> {
  await page.getByRole('button', { name: 'Ask the board' }).click()
  await openDialog(page).getByRole('button', { name: 'Ask the board' }).click()
  await expect(openDialog(page)).toBeHidden()
  await expect(page).toHaveURL(/\/cases\/CASE-/)
  await board.signWhatWaits()
  await page.goBack()
  await page.getByRole('button', { name: 'Start rollout' }).click()
  await openDialog(page).getByRole('button', { name: 'Start rollout' }).click()
  await expect(openDialog(page)).toBeHidden()
}

/** The line of one phase in the cockpit. */
export function phaseLine(page: Page, name: string): Locator {
  return page.getByRole('row').filter({ hasText: name })
}

/** The page has drawn what it shows: nothing on it says that it is still busy, and its fonts are there. */
export async function settled(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { level: 1 }).first()).toBeVisible()
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
  await page.evaluate('document.fonts.ready')
}
