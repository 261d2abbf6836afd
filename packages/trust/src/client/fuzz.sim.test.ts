import { expect, test } from 'vitest'
import { runFuzz } from '#/testing/run-fuzz.ts'
import { authorisationChecks } from './authorisation-checks.ts'

/** `npm run fuzz` asks for more; the seed is in the message of a failure. */
const runs = 2000
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Date.now() / 1000) % 1_000_000_000)

test('no random change of metadata, assignment or manifest makes a device install what nobody signed', async () => {
  const { accepted, refused, unauthorised } = await runFuzz({ runs, seed })
  expect(unauthorised, `seed ${seed}`).toBeNull()
  // A fuzzer that changes nothing that matters, or breaks everything, would prove nothing.
  expect(refused, `seed ${seed}`).toBeGreaterThan(runs / 2)
  expect(accepted, `seed ${seed}`).toBeGreaterThan(0)
}, 600_000)

test.each(['manifest-is-the-signed-one', 'director-signed'])('the fuzzer finds a device without %s', async (name) => {
  const authorisation = authorisationChecks.filter((check) => check.name !== name)
  const { unauthorised } = await runFuzz({ runs, seed, checks: { authorisation } })
  expect(unauthorised, `seed ${seed}`).not.toBeNull()
})
