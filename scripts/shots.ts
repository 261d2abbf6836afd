import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { launchOptions, needBrowser } from './lib/browser.ts'
import { createPrograms } from './lib/programs.ts'
import { emptyFolder, photographPage, settle } from './shots/camera.ts'
import {
  goOn,
  keeperScenes,
  photographEmpty,
  photographRollout,
  photographScenes,
  photographTrouble,
  plannerScenes,
} from './shots/scenes.ts'
import { startInstallation } from './start/installation.ts'
import type { Installation } from './start/installation.ts'
import { watchRelease } from './start/watch.ts'

/**
 * `npm run shots`: photographs every page of the demo at 1440 and 390 px, light and dark, into `.cache/shots/`, then its dialogs,
 * its troubles and an installation with nothing in it. The release is photographed while it rolls out, paused and verified.
 */

/** Every page that the navigation leads to, and from each list the first thing in it; of the settings each section. */
async function findPages(page: Page, url: string): Promise<string[]> {
  const inNavigation = await hrefs(page, 'nav a[href^="/"]')
  const found = new Set(['/', ...inNavigation])
  for (const path of inNavigation) {
    await page.goto(url + path)
    await settle(page)
    const links = (await hrefs(page, `main a[href^="${path}/"]`)).filter((href) => !href.includes('?'))
    const chosen = path === '/settings' ? links : links.slice(0, 1)
    // A board leads to its questions and its keys, which stand beside it and not below it.
    const beside = path === '/boards' ? (await hrefs(page, 'main a')).filter(isOfBoards) : []
    if (path !== '/') for (const link of [...chosen, ...beside]) found.add(link)
  }
  return [...found]
}

function isOfBoards(href: string): boolean {
  return href === '/keys' || href.startsWith('/cases/')
}

async function hrefs(page: Page, selector: string): Promise<string[]> {
  const all = await page.locator(selector).evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''))
  return [...new Set(all)]
}

async function newPage(browser: Browser): Promise<Page> {
  return await browser.newPage({ locale: 'en-GB', timezoneId: 'Europe/London' })
}

async function shootDemo(browser: Browser, { server: { url }, signInLink, demo }: Installation): Promise<void> {
  const page = await newPage(browser)
  await photographPage(page, url, '/sign-in')
  await page.goto(signInLink ?? url)
  if (!demo) return
  const release = `/releases/${demo.state.releaseId}`
  await photographPage(page, url, release, '-rolling-out')
  await photographRollout(page, url, release)
  await goOn(page, url, release)
  await photographTrouble(page, url, release)
  await shootKeeper(await newPage(browser), url, demo.state.admin)
  await watchRelease(demo, { show: () => {}, signal: AbortSignal.timeout(180_000) })
  await page.goto(url)
  await settle(page)
  for (const path of await findPages(page, url)) await photographPage(page, url, path)
  for (const path of [release, '/fleet/cmdb?view=changes', '/fleet/cmdb?view=baselines'])
    await photographPage(page, url, path)
  await photographScenes(page, url, plannerScenes)
  await page.close()
}

async function shootKeeper(page: Page, url: string, admin: { email: string; password: string }): Promise<void> {
  await page.goto(`${url}/sign-in`)
  await page.getByLabel('E-mail address').fill(admin.email)
  await page.getByLabel('Password', { exact: true }).fill(admin.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'Today' }).waitFor()
  await photographPage(page, url, '/settings/people', '-keeper')
  await photographPage(page, url, '/settings/roles', '-keeper')
  await photographScenes(page, url, keeperScenes)
  await page.close()
}

emptyFolder()
const temporary = mkdtempSync(join(tmpdir(), 'bascule-shots-'))
const programs = createPrograms()
const browser = await chromium.launch(launchOptions(needBrowser()))
try {
  const start = async (name: string, demo: boolean) => {
    const options = { dataFolder: join(temporary, name), port: 0, demo, soakSeconds: 45 }
    return await startInstallation(options, programs, console.log)
  }
  await shootDemo(browser, await start('demo', true))
  const { signInLink } = await start('empty', false)
  if (signInLink !== undefined) await photographEmpty(await newPage(browser), signInLink)
} finally {
  await browser.close()
  await programs.stop()
  rmSync(temporary, { recursive: true, force: true, maxRetries: 3 })
}
