import { type AssignmentTarget, buildAssignment } from '@bascule/trust/assignment.ts'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import { expiryText } from '@bascule/trust/envelope.ts'
import { generateKeyPair, sha256Hex, signHex } from '@bascule/trust/keys.ts'
import { targetPathText } from '@bascule/trust/tuf/names.ts'
import { print, round, spreadOf } from '../report.ts'
import { type BenchSigner, startSigner } from '../signer.ts'

const batchSize = 500
const batchesPerRun = 4
const singlesPerRun = 100
const runs = 5

interface Item {
  readonly device: string
  readonly generation: number
  readonly expires: string
  readonly targets: readonly AssignmentTarget[]
}

/** One order for one device, as the server asks for it. */
function itemOf(device: number, generation: number, expires: string): Item {
  const at = { board: 'release-board', line: 'sales-desk', kind: 'normal', release: 'REL-0001' } as const
  const custom = {
    job: '7',
    action: 'install',
    release: at.release,
    productLine: at.line,
    rollout: 1,
    phase: 1,
    verifyLevel: 3,
    activation: 'current',
    attributes: { site: 'leeds', roles: ['shop'] },
  } satisfies Item['targets'][number]['custom']
  const target = { path: targetPathText(at), lengthBytes: 900, sha256: 'a'.repeat(64), custom }
  return { device: sha256Hex(`device ${device}`), generation, expires, targets: [target] }
}

function batch(size: number, generation: number): Item[] {
  const expires = expiryText(Temporal.Now.instant().add({ hours: 120 }))
  return Array.from({ length: size }, (_none, device) => itemOf(device, generation, expires))
}

async function signBatch(signer: BenchSigner, items: readonly Item[]): Promise<void> {
  const { results } = await signer.ask<{ results: { assignment?: object }[] }>({ type: 'signAssignments', items })
  if (results.some(({ assignment }) => !assignment)) throw new Error(`Refused: ${JSON.stringify(results[0])}`)
}

async function perSecond(count: number, action: () => Promise<void> | void): Promise<number> {
  const startedAt = performance.now()
  await action()
  return (count / (performance.now() - startedAt)) * 1000
}

/**
 * Orders per second of the real signer, which judges each, writes it down durably and signs it. Beside it, in turns,
 * the bare Ed25519 signature over the same bytes, in one thread as the signer has.
 */
export async function benchDirector(): Promise<void> {
  await using signer = await startSigner()
  const key = generateKeyPair()
  let generation = 0
  const inBatches = async (): Promise<void> => {
    for (let at = 0; at < batchesPerRun; at += 1) await signBatch(signer, batch(batchSize, (generation += 1)))
  }
  const oneByOne = async (): Promise<void> => {
    for (let at = 0; at < singlesPerRun; at += 1) await signBatch(signer, batch(1, (generation += 1)))
  }
  const texts = batch(batchSize, 1).map((item) =>
    canonicalJson(buildAssignment({ ...item, expiresAt: Temporal.Instant.from(item.expires) })),
  )
  const bare = (): void => {
    for (let at = 0; at < batchesPerRun; at += 1) for (const text of texts) signHex(key, text)
  }
  const rates = { batches: [] as number[], singles: [] as number[], bare: [] as number[] }
  await inBatches() // Warm code.
  bare()
  for (let at = 0; at < runs; at += 1) {
    rates.batches.push(await perSecond(batchSize * batchesPerRun, inBatches))
    rates.bare.push(await perSecond(batchSize * batchesPerRun, bare))
    rates.singles.push(await perSecond(singlesPerRun, oneByOne))
  }
  const [batches, plain, singles] = [spreadOf(rates.batches), spreadOf(rates.bare), spreadOf(rates.singles)]
  print({ bench: 'authority', what: `director, batches of ${batchSize}`, perSecond: batches })
  print({ bench: 'authority', what: 'director, one order at a time', perSecond: singles })
  print({ bench: 'authority', what: 'bare Ed25519 over the same bytes', perSecond: plain })
  print({
    bench: 'authority',
    what: 'ratio of medians, director to bare Ed25519',
    batches: round(batches.median / plain.median),
    oneAtATime: round(singles.median / plain.median),
  })
}
