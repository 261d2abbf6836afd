import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Page } from 'playwright-core'
import { launchOptions, needBrowser } from './lib/browser.ts'
import { createPrograms } from './lib/programs.ts'
import { root } from './lib/root.ts'
import { startInstallation } from './start/installation.ts'
import type { Installation } from './start/installation.ts'
import { watchRelease } from './start/watch.ts'

/**
 * `npm run shots`: photographs every page of the demo at 1440 and 390 px, light and dark, into `.cache/shots/`. The release is
 * photographed twice: while it rolls out and when it is verified.
 */
const folder = join(root, '.cache', 'shots')
const widths = [1440, 390]
const themes = ['light', 'dark'] as const

/** `/releases/1` becomes `releases-1`; the start page `today`. */
function nameOf(path: string): string {
  return path === '/'
    ? 'today'
    : path
        .slice(1)
        .replaceAll(/[^a-z0-9]+/gi, '-')
        .replace(/-$/, '')
        .slice(0, 30)
}

async function photograph(page: Page, url: string, path: string, suffix = ''): Promise<void> {
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
    for (const width of widths) {
      await page.setViewportSize({ width, height: width < 800 ? 844 : 900 })
      await page.goto(url + path)
      await settle(page)
      const file = join(folder, `${nameOf(path)}${suffix}-${theme}-${width}.png`)
      await page.screenshot({ path: file, fullPage: width < 800 })
      console.log(file)
    }
  }
}

/** A page with an event stream is never idle; it is ready when it has a heading and nothing on it says that it is busy. */
async function settle(page: Page): Promise<void> {
  await page.getByRole('heading').first().waitFor({ timeout: 20_000 })
  await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached', timeout: 20_000 })
  await page.evaluate('document.fonts.ready')
}

/** Every page that the navigation leads to, and from each list the first thing in it. */
async function findPages(page: Page, url: string): Promise<string[]> {
  const inNavigation = await hrefs(page, 'nav a[href^="/"]')
  const found = new Set(['/', ...inNavigation])
  for (const path of inNavigation) {
    await page.goto(url + path)
    await settle(page)
    const [first] = (await hrefs(page, `main a[href^="${path}/"]`)).filter((href) => !href.includes('?'))
    if (path !== '/' && first !== undefined) found.add(first)
  }
  return [...found]
}

async function hrefs(page: Page, selector: string): Promise<string[]> {
  const all = await page.locator(selector).evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''))
  return [...new Set(all)]
}

async function shoot({ server, signInLink, demo }: Installation): Promise<void> {
  const browser = await chromium.launch(launchOptions(needBrowser()))
  try {
    const page = await browser.newPage({ locale: 'en-GB', timezoneId: 'Europe/London' })
    await photograph(page, server.url, '/sign-in')
    await page.goto(signInLink ?? server.url)
    const release = `/releases/${demo?.state.releaseId}`
    await photograph(page, server.url, release, '-rolling-out')
    if (demo) await watchRelease(demo, { show: () => {}, signal: AbortSignal.timeout(180_000) })
    await page.goto(server.url)
    await settle(page)
    for (const path of await findPages(page, server.url)) await photograph(page, server.url, path)
    await photograph(page, server.url, release, '-verified')
  } finally {
    await browser.close()
  }
}

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const temporary = mkdtempSync(join(tmpdir(), 'bascule-shots-'))
const programs = createPrograms()
try {
  const options = { dataFolder: join(temporary, 'data'), port: 0, demo: true, soakSeconds: 15 }
  await shoot(await startInstallation(options, programs, console.log))
} finally {
  await programs.stop()
  rmSync(temporary, { recursive: true, force: true, maxRetries: 3 })
}
