import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { root } from '../lib/root.ts'

const folder = join(root, '.cache', 'shots')
const desk = { width: 1440, height: 900 }
const sizes = [desk, { width: 390, height: 844 }]
const themes = ['light', 'dark'] as const

export function emptyFolder(): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
}

/** Opens a page afresh for each theme and width, as somebody does who comes with that device. */
export async function photographPage(page: Page, url: string, path: string, suffix = ''): Promise<void> {
  await eachLook(page, async (look, isPhone) => {
    await page.goto(url + path)
    await settle(page)
    await shoot(page, `${nameOf(path)}${suffix}-${look}`, isPhone)
  })
}

/** Takes what is on the screen in each theme and width, so that an open dialog stays open. */
export async function photographScreen(page: Page, name: string): Promise<void> {
  await eachLook(page, async (look) => await shoot(page, `${name}-${look}`, false))
}

async function eachLook(page: Page, take: (look: string, isPhone: boolean) => Promise<void>): Promise<void> {
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const size of sizes) {
      await page.setViewportSize(size)
      await take(`${colorScheme}-${size.width}`, size !== desk)
    }
  }
  await page.setViewportSize(desk)
}

async function shoot(page: Page, name: string, fullPage: boolean): Promise<void> {
  const file = join(folder, `${name}.png`)
  await page.screenshot({ path: file, fullPage })
  console.log(file)
}

/** A page with an event stream is never idle; it is ready when it has a heading and nothing on it says that it is busy. */
export async function settle(page: Page): Promise<void> {
  await page.getByRole('heading').first().waitFor({ timeout: 20_000 })
  await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached', timeout: 20_000 })
  await page.evaluate('document.fonts.ready')
}

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
