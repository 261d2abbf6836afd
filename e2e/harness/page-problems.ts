import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'

const everyRule = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
const colourRules = ['color-contrast', 'link-in-text-block']

const desk = { width: 1440, height: 900 }
const phone = { width: 390, height: 844 }

/** What is wrong with a page in both themes, on a desk and on a phone; one sentence each, none when all is well. */
export async function pageProblems(page: Page): Promise<string[]> {
  // No page of ours has frames; without them axe needs no second page to gather its findings in.
  const axe = () => new AxeBuilder({ page }).setLegacyMode()
  await show(page, desk, 'light')
  const onDesk = [...(await problemsOf(axe().withTags(everyRule))), ...(await overflowOf(page))]
  // The other theme on the same layout can only break what colours break.
  await show(page, desk, 'dark')
  const inTheDark = await problemsOf(axe().withRules(colourRules))
  await show(page, phone, 'dark')
  const onPhone = [...(await problemsOf(axe().withTags(everyRule))), ...(await overflowOf(page))]
  await show(page, phone, 'light')
  const onPhoneByDay = await problemsOf(axe().withRules(colourRules))
  return [
    ...onDesk.map((problem) => `on a desk: ${problem}`),
    ...inTheDark.map((problem) => `on a desk in the dark: ${problem}`),
    ...onPhone.map((problem) => `on a phone in the dark: ${problem}`),
    ...onPhoneByDay.map((problem) => `on a phone: ${problem}`),
  ]
}

async function show(page: Page, size: typeof desk, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.setViewportSize(size)
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
}

async function problemsOf(axe: AxeBuilder): Promise<string[]> {
  const { violations } = await axe.analyze()
  return violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${one.help} (${node.target.join(' ')})`))
}

/** A page never scrolls sideways as a whole; wide tables scroll inside themselves. */
async function overflowOf(page: Page): Promise<string[]> {
  const extra = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  return extra > 0 ? [`the page is ${extra} px wider than the window`] : []
}
