import crypto from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Counts the signature checks of this process, whoever makes them: `node:crypto` is wrapped for our code and for tuf-js
 * alike. In another process (`node --import`) every check, and every request by its path, also becomes a line of the
 * file that `BENCH_COUNTS` names.
 */
export const counts = { checks: 0 }
const file = process.env['BENCH_COUNTS']
const note = (what: string): void => {
  if (file !== undefined) appendFileSync(file, `${what}\n`)
}

const verify = crypto.verify
crypto.verify = ((...args: Parameters<typeof verify>) => {
  counts.checks += 1
  note('check')
  return verify(...args)
}) as typeof verify
syncBuiltinESMExports()

if (file !== undefined) {
  const { fetch } = globalThis
  globalThis.fetch = async (input, init) => {
    note(new URL(input instanceof Request ? input.url : input).pathname)
    return await fetch(input, init)
  }
}
