import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'

const wcag22 = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** What axe finds against WCAG 2.2 AA on the page as it stands: one sentence each, none when all is well. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(wcag22).analyze()
  return violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${one.help} (${node.target.join(' ')})`))
}

export type Theme = 'light' | 'dark'

/** The same, in both themes; the page is left in the last one. */
export async function problemsInBothThemes(page: Page): Promise<string[]> {
  const found: string[] = []
  for (const theme of ['light', 'dark'] as const satisfies readonly Theme[]) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
    const problems = await accessibilityProblems(page)
    found.push(...problems.map((problem) => `${theme}: ${problem}`))
  }
  return found
}
