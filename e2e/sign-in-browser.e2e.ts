import { until } from '#scripts/start/until.ts'
import type { Page } from '@playwright/test'
import { givenBoard } from './harness/board.ts'
import { ada, givenAda, givenDevices, givenEstate, givenRelease } from './harness/given.ts'
import { pageProblems } from './harness/page-problems.ts'
import { go, openDialog, settled, signIn } from './harness/pages.ts'
import { expect, test } from './harness/test.ts'

test.describe.configure({ timeout: 180_000 })

test('a member makes a key in the browser, reads what is asked, and signs only what the browser has checked itself', async ({
  page,
  bascule,
}) => {
  const api = await givenAda(bascule)
  await givenEstate(api)
  await api.importCsv('/estate/role-grants/import', ['email,role,org_unit,site', `${ada.email},board-member,,`])
  await givenDevices(bascule, api, [{ name: 'shop-leeds-1', site: 'leeds', orgUnit: 'shops', roles: ['shop'] }])
  const phases = [{ name: 'Everybody', query: '' }]
  const releaseId = await givenRelease(api, { title: 'esbuild 0.28', version: '0.28.2', phases })
  await signIn(page, bascule)

  await test.step('before the first ceremony the page says what to do', async () => {
    await go(page, 'Board')
    await expect(page.getByText('No board yet, so no device installs anything')).toBeVisible()
    await expect(page.getByText('bascule trust init')).toBeVisible()
  })

  await test.step('a key is made here, and the page says what it is worth', async () => {
    await page.getByRole('button', { name: 'Make a key' }).click()
    await openDialog(page).getByRole('radio', { name: 'L1 browser key' }).check()
    await expect(openDialog(page)).toContainText('A stolen server could sign with it once you open the page.')
    await openDialog(page).getByLabel('Name of the key').fill('work laptop')
    await openDialog(page).getByRole('button', { name: 'Make key' }).click()
    await expect(openDialog(page)).toBeHidden()
    await expect(page.getByText('browser key, in this browser')).toBeVisible()
  })

  await test.step('the board takes it with the command that its page shows', async () => {
    const { member } = await givenBoard(bascule, api, ada)
    await page.reload()
    await page.getByRole('table', { name: 'Boards' }).getByRole('link').first().click()
    const command = await page
      .getByText(/^bascule trust join/)
      .first()
      .innerText()
    const [, key = '', board = ''] = /join '(.*)' --board (\S+)$/.exec(command) ?? []
    await member.run('trust', 'join', key, '--board', board, '--yes')
    await expect(page.getByRole('table', { name: 'Members' })).toContainText('L1')
    await expect(page.getByText('Weakest key: L1, browser key.')).toBeVisible()
  })

  await test.step('the release asks its board, and the case can be read by everybody', async () => {
    await page.goto(`${bascule.url}/releases/${releaseId}`)
    await page.getByRole('button', { name: 'Ask the board' }).first().click()
    await openDialog(page).getByRole('button', { name: 'Ask the board' }).click()
    await page.waitForURL('**/cases/CASE-*')
    await settled(page)
    expect(await pageProblems(page)).toEqual([])
  })

  await test.step('a draft that holds more than was decided cannot be signed here', async () => {
    await page.route('**/api/decide/cases/CASE-*', async (route) => {
      const answer = await route.fetch()
      await route.fulfill({ response: answer, json: withOneMore(await answer.json()) })
    })
    await page.reload()
    await openSign(page)
    await expect(openDialog(page).getByRole('alert')).toContainText('draft-is-the-decision-and-nothing-else')
    await expect(openDialog(page).getByRole('button', { name: 'Sign', exact: true })).toBeDisabled()
    await page.unrouteAll()
  })

  await test.step('the honest one says what it changes, and the signature lets the release out', async () => {
    await page.reload()
    await openSign(page)
    await expect(openDialog(page)).toContainText(`GO: ${releaseId}`)
    await openDialog(page).getByRole('button', { name: 'Sign', exact: true }).click()
    await expect(openDialog(page)).toBeHidden()
    await expect(page.getByRole('heading', { name: 'What devices may do now' })).toBeVisible()
    await until('the release is authorised', async () => {
      return (await api.get<{ state: string }>(`/releases/${releaseId}`)).state === 'authorised'
    })
  })
})

async function openSign(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign…' }).click()
  await openDialog(page)
    .getByRole('radio', { name: /work laptop/ })
    .check()
}

interface CaseSeen {
  draft: { documents: { signed: { targets: Record<string, unknown> } }[] }
}

/** What a server in wrong hands could show: the same decision, and one release more in the document. */
function withOneMore(seen: CaseSeen): CaseSeen {
  for (const { signed } of seen.draft.documents) {
    const [path = '', target] = Object.entries(signed.targets).at(-1) ?? []
    signed.targets[path.replace(/REL-\d+/, 'REL-0666')] = target
  }
  return seen
}
