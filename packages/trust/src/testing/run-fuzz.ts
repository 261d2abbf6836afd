import fc from 'fast-check'
import { type FuzzOutcome, fuzzOnce, fuzzSubjects } from './fuzz.ts'
import type { Checks } from './scenario.ts'

export interface FuzzInput {
  readonly runs: number
  readonly seed: number
  /** Only a test of the fuzzer gives these: a device from which a check was taken. */
  readonly checks?: Checks
  readonly onProgress?: (tally: Pick<FuzzTally, 'runs' | 'accepted' | 'refused'>) => void
}

export interface FuzzTally {
  readonly runs: number
  readonly seed: number
  /** Changes after which a device still installed exactly what was signed. */
  readonly accepted: number
  readonly refused: number
  /** The first installation that nobody signed, made as small as possible; null is what is hoped for. */
  readonly unauthorised: { readonly path: string; readonly outcome: FuzzOutcome } | null
}

const progressEvery = 250

/** Changes signed documents at random, as often as asked, and counts what devices answered. The same seed is the same run. */
export async function runFuzz({ runs, seed, checks, onProgress }: FuzzInput): Promise<FuzzTally> {
  const count = { runs: 0, accepted: 0, refused: 0 }
  let last: FuzzOutcome | undefined
  const property = fc.asyncProperty(aChange(), async ({ subject, dice, isOnlineStolen }) => {
    const outcome = await fuzzOnce(subject, dice, isOnlineStolen, checks)
    count.runs += 1
    if (outcome.verdict === 'refused') count.refused += 1
    else count.accepted += 1
    if (count.runs % progressEvery === 0) onProgress?.({ ...count })
    if (outcome.unauthorised) last = outcome
    return !outcome.unauthorised
  })
  const { failed, counterexamplePath, errorInstance } = await fc.check(property, { numRuns: runs, seed })
  if (failed && !last) throw new Error('A device threw instead of answering', { cause: errorInstance })
  return { ...count, seed, unauthorised: last ? { path: counterexamplePath ?? '', outcome: last } : null }
}

/** Half of the changes hit the files, a quarter the assignment and a quarter the manifest. */
function aChange() {
  const { metadata, assignment, manifest } = fuzzSubjects
  return fc.record({
    subject: fc.oneof(
      { arbitrary: fc.constantFrom(...metadata), weight: 2 },
      { arbitrary: fc.constantFrom(...assignment), weight: 1 },
      { arbitrary: fc.constantFrom(...manifest), weight: 1 },
    ),
    dice: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
    isOnlineStolen: fc.boolean(),
  })
}
