import { measureBudgets } from './lib/budgets.ts'

/** A step of `npm test`: prints every budget of the built web and fails when one is exceeded. */
const budgets = measureBudgets()
for (const { what, bytes, limitBytes } of budgets) {
  const verdict = bytes <= limitBytes ? 'within' : 'OVER  '
  console.log(`${verdict} ${(bytes / 1000).toFixed(1).padStart(6)} of ${limitBytes / 1000} kB  ${what}`)
}
process.exitCode = budgets.every(({ bytes, limitBytes }) => bytes <= limitBytes) ? 0 : 1
