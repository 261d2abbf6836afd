import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzzOnce, fuzzSubjects } from '#/testing/fuzz.ts'

/** `npm run fuzz` asks for more; the seed is in the message of a failure. */
const runs = Number(process.env['BASCULE_FUZZ_RUNS'] ?? 2000)

test('no random change of metadata, assignment or manifest makes a device install what nobody signed', async () => {
  let [accepted, refused] = [0, 0]
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...fuzzSubjects()),
      fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
      fc.boolean(),
      async (subject, dice, isOnlineStolen) => {
        const outcome = await fuzzOnce(subject, dice, isOnlineStolen)
        if (outcome.verdict === 'refused') refused += 1
        else accepted += 1
        expect(outcome.unauthorised, JSON.stringify(outcome)).toBe(false)
      },
    ),
    { numRuns: runs },
  )
  // A fuzzer that changes nothing that matters, or breaks everything, would prove nothing.
  expect(refused).toBeGreaterThan(runs / 2)
  expect(accepted).toBeGreaterThan(0)
}, 600_000)
