import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'

const wcag22 = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
const themes = ['light', 'dark'] as const
const widths = [1440, 390] as const

/** What is wrong with a page in both themes, on a desk and on a phone; one sentence each, none when all is well. */
export async function pageProblems(page: Page): Promise<string[]> {
  const found: string[] = []
  for (const width of widths) {
    await page.setViewportSize({ width, height: width < 800 ? 844 : 900 })
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const problems = [...(await accessibilityProblems(page)), ...(await overflowProblems(page))]
      found.push(...problems.map((problem) => `${width} px, ${colorScheme}: ${problem}`))
    }
  }
  return found
}

async function accessibilityProblems(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(wcag22).analyze()
  return violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${one.help} (${node.target.join(' ')})`))
}

/** A page never scrolls sideways as a whole; wide tables scroll inside themselves. */
async function overflowProblems(page: Page): Promise<string[]> {
  const extra = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  return extra > 0 ? [`the page is ${extra} px wider than the window`] : []
}
