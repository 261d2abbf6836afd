import { parseArgs } from 'node:util'
import { tryFresh } from './fresh/try-fresh.ts'
import { isRoot, ordinaryAccount } from './lib/user.ts'

/**
 * `npm run fresh`: what a newcomer does. Clones the last commit into an empty folder and runs the README's two commands
 * there, as root also as an ordinary user. `npm test` runs with `--quick`, because `npm test` itself is what usually calls
 * for this proof; `--full` runs all of it.
 */
const { values } = parseArgs({ options: { full: { type: 'boolean', default: false } } })
const account = isRoot() ? ordinaryAccount() : undefined
const attempts = [{ who: isRoot() ? 'root' : 'this user' }, ...(account ? [{ who: 'an ordinary user', account }] : [])]

let failed = 0
for (const attempt of attempts) {
  try {
    const seconds = await tryFresh(attempt, values.full)
    console.log(`ok     fresh clone as ${attempt.who} ${seconds.toFixed(0)} s`)
  } catch (cause) {
    failed += 1
    console.log(`FAILED fresh clone as ${attempt.who}\n${(cause as Error).message}`)
  }
}
console.log(`\n${attempts.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
