import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import type { Api } from '#scripts/start/api.ts'
import { people } from '#scripts/start/demo-story.ts'
import { root } from '#scripts/lib/root.ts'
import { until } from '#scripts/start/until.ts'
import { type Board, givenBoard } from './harness/board.ts'
import type { Bascule } from './harness/bascule.ts'
import { ada, givenAda, givenDevices, givenEstate, givenInstalled, givenRelease, rolloutOf } from './harness/given.ts'
import { pageProblems } from './harness/page-problems.ts'
import { go, openDialog, settled, signIn } from './harness/pages.ts'
import { expect, test } from './harness/test.ts'

const places = ['Today', 'Releases', 'Calendar', 'Board', 'Fleet', 'Library', 'Support', 'Insights', 'Settings']

/** Pages to which no link of the application leads; the last is for people who work on the application. */
const apart = ['/sign-in', '/welcome', '/dev/components']

// A film of forty pages, each looked at four times, would cost more than the walk; a problem names its page and its element.
test.use({ trace: 'off' })
test.describe.configure({ timeout: 600_000 })

test('every page can be read by everybody, on a desk and on a phone, in light and dark', async ({ page, bascule }) => {
  const releases = await givenLife(bascule)
  const look = async (path: string) => {
    await test.step(path, async () => {
      await page.goto(bascule.url + path)
      await settled(page)
      expect.soft(await pageProblems(page), path).toEqual([])
    })
  }

  for (const path of ['/sign-in', '/welcome', '/welcome?code=of-no-use-any-more']) await look(path)
  await look('/sign-in?problem=link-spent')
  await expect(page.getByRole('alert')).toContainText('ask an administrator for a new link')
  await page.setViewportSize({ width: 1440, height: 900 })
  await signIn(page, bascule)

  const walked = await walk(page, bascule.url, ['/', ...releases.map((id) => `/releases/${id}`)], look)
  for (const route of await routesOfTheWeb()) {
    expect(
      walked.some((path) => route.test(path)),
      `some link leads to ${route.source}`,
    ).toBe(true)
  }
})

test('no place of the navigation is a dead end, and keys and the palette lead everywhere', async ({
  page,
  bascule,
}) => {
  const api = await givenAda(bascule)
  await givenEstate(api)
  await givenRelease(api, { title: 'esbuild 0.28', version: '0.28.2', phases: [{ name: 'Everybody', query: '' }] })
  await signIn(page, bascule)

  for (const place of places) {
    await test.step(`${place} has content, or one sentence and a link`, async () => {
      await go(page, place)
      await settled(page)
      const main = page.getByRole('main')
      const content = main.getByRole('table').or(main.getByRole('heading', { level: 2 }))
      if ((await content.count()) > 0) return
      await expect(main.getByRole('paragraph').first()).toHaveText(/^[A-Z].*\.$/)
      await expect(main.getByRole('link').first()).toBeVisible()
    })
  }

  await test.step('two keys go to a place', async () => {
    await page.keyboard.press('g')
    await page.keyboard.press('f')
    await expect(page.getByRole('heading', { level: 1, name: 'Fleet' })).toBeVisible()
    await page.keyboard.press('g')
    await page.keyboard.press('l')
    await expect(page.getByRole('heading', { level: 1, name: 'Library' })).toBeVisible()
    await page.keyboard.press('?')
    await expect(openDialog(page)).toContainText('Keyboard shortcuts')
    await page.keyboard.press('Escape')
    await expect(openDialog(page)).toBeHidden()
  })

  await test.step('the palette finds a release and runs an act', async () => {
    await page.keyboard.press('Control+k')
    const search = page.getByRole('textbox', { name: 'Search or run' }).or(page.getByRole('searchbox'))
    await search.first().fill('esbuild')
    await expect(page.getByRole('dialog').getByText('esbuild 0.28').first()).toBeVisible()
    await page.keyboard.press('Enter')
    await expect(page.getByRole('heading', { level: 1 })).toContainText('esbuild 0.28')
    const isDark = () => page.evaluate("document.documentElement.dataset.mantineColorScheme === 'dark'")
    const before = await isDark()
    await page.keyboard.press('Control+k')
    await search.first().fill('Switch to')
    await page.keyboard.press('Enter')
    await expect.poll(isDark).toBe(!before)
  })
})

/** A small organisation in the middle of its work: releases planned, done and stopped, and devices that let themselves be seen. */
async function givenLife(bascule: Bascule): Promise<string[]> {
  const api = await givenAda(bascule)
  await givenEstate(api)
  await api.importCsv('/estate/people/import', people)
  await api.post('/platform/api-keys', { name: 'pipeline of the shop', role: 'pipeline', expiresInDays: 30 })
  const device = (name: string, site: string) => ({ name, site, orgUnit: 'shops', roles: ['shop'] })
  await givenDevices(bascule, api, [device('shop-leeds-1', 'leeds'), device('shop-porto-1', 'porto')])
  const board = await givenBoard(bascule, api, ada)
  await givenInstalled(api, board, '0.27.2')
  const phases = [{ name: 'Everybody', query: '' }]
  const planned = await givenRelease(api, { title: 'Next spring', version: '0.28.2', phases })
  return [await givenStopped(api, board), planned]
}

async function givenStopped(api: Api, board: Board): Promise<string> {
  const releaseId = await givenRelease(api, {
    title: 'A bad day',
    version: '0.28.3-bad',
    phases: [
      { name: 'Leeds', query: 'site:leeds' },
      { name: 'Everybody else', query: '' },
    ],
  })
  await board.letOut(releaseId)
  await api.post(`/releases/${releaseId}/rollout/start`, {})
  await until('the bad version has stopped itself', async () => (await rolloutOf(api, releaseId)).state === 'paused')
  return releaseId
}

/** Follows every link from page to page, one page of each kind beside those it begins with, and answers where it has been. */
async function walk(
  page: Page,
  url: string,
  from: readonly string[],
  look: (path: string) => Promise<void>,
): Promise<string[]> {
  const waiting = [...from]
  const walked = new Set<string>()
  const kinds = new Set<string>()
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (walked.has(path) || (kinds.has(kindOf(path)) && !from.includes(path))) continue
    walked.add(path)
    kinds.add(kindOf(path))
    await look(path)
    await page.setViewportSize({ width: 1440, height: 900 })
    waiting.push(...(await linksOf(page, url)))
  }
  return [...walked]
}

/** `/releases/REL-0001` and `/releases/REL-0002` are of one kind. */
function kindOf(path: string): string {
  return path
    .split('/')
    .map((part) => (/^[a-z-]*$/.test(part) ? part : '*'))
    .join('/')
}

async function linksOf(page: Page, url: string): Promise<string[]> {
  const hrefs = await page
    .locator('a[href]')
    .evaluateAll((links) => links.map((link) => (link as { href?: string }).href))
  const own = hrefs.filter((href) => href !== undefined).map((href) => new URL(href, url))
  return [...new Set(own.filter((one) => one.origin === new URL(url).origin).map((one) => one.pathname))]
}

/** The addresses that the web application knows, as patterns: a page that is added is in the walk or fails it. */
async function routesOfTheWeb(): Promise<RegExp[]> {
  const source = await readFile(join(root, 'packages', 'web', 'src', 'app', 'router.ts'), 'utf8')
  const paths = [...source.matchAll(/path: '([^']+)'/g)].map(([, path]) => path ?? '')
  return paths
    .filter((path) => !apart.includes(path))
    .map((path) => new RegExp(`^${path.replaceAll(/\$\w+/g, '[^/]+')}$`))
}
