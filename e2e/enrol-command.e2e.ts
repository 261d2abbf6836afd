import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGuarded } from '#scripts/lib/guarded-child.ts'
import { root } from '#scripts/lib/root.ts'
import { givenAda, givenEstate } from './harness/given.ts'
import { pageProblems } from './harness/page-problems.ts'
import { choose, go, openDialog, signIn } from './harness/pages.ts'
import { expect, test } from './harness/test.ts'

test('the command that the page shows enrols a device as it is pasted', async ({ page, bascule }) => {
  await givenEstate(await givenAda(bascule))
  await signIn(page, bascule, '/settings/enrolment')

  const command = await test.step('a token is shown once, in commands', async () => {
    await page.getByRole('button', { name: 'Make token' }).click()
    expect.soft(await pageProblems(page), 'the dialog').toEqual([])
    await openDialog(page).getByLabel('Label').fill('This machine')
    await choose(openDialog(page), 'Approval', 'Devices are approved at once')
    await openDialog(page).getByRole('button', { name: 'Make token' }).click()
    const commands = page.getByRole('status').filter({ hasText: 'not shown again' })
    await expect(commands.locator('code')).toHaveCount(2)
    expect.soft(await pageProblems(page), 'the commands').toEqual([])
    await page.setViewportSize({ width: 1440, height: 900 })
    return await commands.locator('code').first().innerText()
  })

  await test.step('pasted in a terminal in the checkout, it starts an agent that the fleet shows', async () => {
    const home = await mkdtemp(join(tmpdir(), 'bascule-home-'))
    const agent = await startGuarded({
      name: 'pasted command',
      command: ['sh', '-c', `exec env ${command} --name pasted-here`],
      cwd: root,
      env: { HOME: home },
      logFile: join(bascule.dataFolder, 'pasted.log'),
    })
    try {
      await go(page, 'Fleet')
      await expect(page.getByRole('link', { name: 'pasted-here' })).toBeVisible({ timeout: 60_000 })
    } finally {
      await agent.stop()
      await rm(home, { recursive: true, force: true, maxRetries: 3 })
    }
  })
})
