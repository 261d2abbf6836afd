import type { Page } from 'playwright-core'
import { photographPage, photographScreen, settle } from './camera.ts'

/** What a page shows after somebody has done something: a dialog, a filled form, a lost connection. */
interface Scene {
  readonly name: string
  readonly path: string
  readonly act: (page: Page) => Promise<void>
}

async function photographScene(page: Page, url: string, { name, path, act }: Scene): Promise<void> {
  await page.goto(url + path)
  await settle(page)
  await act(page)
  await photographScreen(page, name)
}

export async function photographScenes(page: Page, url: string, scenes: readonly Scene[]): Promise<void> {
  for (const scene of scenes) await photographScene(page, url, scene)
}

const press = (name: string) => async (page: Page) => {
  await page.getByRole('button', { name }).first().click()
  await page.getByRole('dialog').waitFor()
}

const choose = (menu: string, item: string) => async (page: Page) => {
  await page.getByRole('button', { name: menu }).click()
  await page.getByRole('menuitem', { name: item }).click()
  await page.getByRole('dialog').waitFor()
}

/** Dialogs of a release that rolls out. The rollout stands still when they are done. */
export async function photographRollout(page: Page, url: string, path: string): Promise<void> {
  const typed = async (page_: Page) => {
    await page_.keyboard.press('Control+k')
    await page_.getByRole('dialog').getByRole('textbox').fill('pa')
    await page_.getByRole('option').or(page_.getByText('Pause')).first().waitFor()
  }
  await photographScenes(page, url, [
    { name: 'dialog-palette', path, act: typed },
    { name: 'dialog-back-out', path, act: choose('More actions', 'Back out') },
    { name: 'dialog-phase-pause', path, act: choose('Actions of phase 1', 'Pause this phase') },
  ])
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('The shop in Leeds opens late today')
  await dialog.getByRole('button', { name: 'Pause phase' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await photographScenes(page, url, [
    { name: 'dialog-phase-go-on', path, act: choose('Actions of phase 1', 'Let it go on') },
    { name: 'dialog-pause', path, act: press('Pause rollout') },
    { name: 'dialog-resume', path, act: press('Resume') },
  ])
  await photographPage(page, url, path, '-paused')
}

/** Undoes what the photographs of the rollout left behind, by the same doors. */
export async function goOn(page: Page, url: string, path: string): Promise<void> {
  await page.goto(url + path)
  await settle(page)
  const reason = async (verb: string) => {
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason').fill('The shop is open')
    await dialog.getByRole('button', { name: verb }).click()
    await dialog.waitFor({ state: 'hidden' })
  }
  await press('Resume')(page)
  await reason('Resume rollout')
  await choose('Actions of phase 1', 'Let it go on')(page)
  await reason('Go on')
}

const fillRelease = async (page: Page) => {
  await page.getByLabel('Title').fill('Page builder')
  await page.getByRole('textbox', { name: 'Version', exact: true }).first().fill('0.29')
  await page.getByLabel('Not before').first().fill('2026-12-01T20:00')
}

/** Dialogs of somebody who may plan releases and keep the library. */
export const plannerScenes: readonly Scene[] = [
  { name: 'form-release-new', path: '/releases/new', act: fillRelease },
  { name: 'empty-releases-filtered', path: '/releases?state=closed', act: settle },
  {
    name: 'error-release',
    path: '/releases/REL-9999',
    act: async (page) => await page.getByRole('alert').first().waitFor(),
  },
]

async function makeToken(page: Page): Promise<void> {
  await press('Make token')(page)
  await page.getByRole('dialog').getByLabel('Label').fill('Tills in Leeds')
  await page.getByRole('dialog').getByRole('button', { name: 'Make token' }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
}

/** Dialogs of the administrator. The last one leaves a token behind. */
export const keeperScenes: readonly Scene[] = [
  { name: 'dialog-upload', path: '/library', act: press('Upload package') },
  { name: 'dialog-retire', path: '/library/esbuild', act: press('Retire') },
  { name: 'dialog-give-role', path: '/settings/roles', act: press('Give role') },
  { name: 'dialog-take-role', path: '/settings/roles', act: press('Take Administrator') },
  { name: 'dialog-add-person', path: '/settings/people', act: press('Add person') },
  { name: 'dialog-make-token', path: '/settings/enrolment', act: press('Make token') },
  { name: 'token-made', path: '/settings/enrolment', act: makeToken },
]

/** Old numbers with their time, while no event reaches the page; and a list that could not be loaded at all. */
export async function photographTrouble(page: Page, url: string, path: string): Promise<void> {
  const cut = async (addresses: string) => await page.route(addresses, async (route) => await route.abort())
  await cut('**/api/events')
  await page.goto(url + path)
  await settle(page)
  await page.getByText('Reconnecting').first().waitFor({ timeout: 30_000 })
  await photographScreen(page, 'reconnecting-cockpit')
  await cut('**/estate/packages*')
  await page.goto(`${url}/library`)
  await page.getByRole('alert').first().waitFor({ timeout: 60_000 })
  await photographScreen(page, 'error-library')
  await page.unrouteAll()
}

const emptyPlaces = [
  '/',
  '/releases',
  '/fleet',
  '/fleet/cmdb?view=baselines',
  '/library',
  '/settings/sites',
  '/boards',
  '/keys',
]

/** The first look of the first administrator, before anything is there. */
export async function photographEmpty(page: Page, welcome: string): Promise<void> {
  const url = new URL(welcome).origin
  await photographPage(page, url, '/welcome', '-without-code')
  await page.goto(welcome)
  await page.getByLabel('Your name').fill('Ada Keeper')
  await page.getByLabel('E-mail address').fill('ada@example.test')
  await page.getByLabel('Password', { exact: true }).fill('a long password for a picture')
  await photographScreen(page, 'welcome')
  await page.getByRole('button', { name: 'Become administrator' }).click()
  await page.getByRole('heading', { level: 1, name: 'Today' }).waitFor()
  for (const path of emptyPlaces) await photographPage(page, url, path, '-empty')
}
