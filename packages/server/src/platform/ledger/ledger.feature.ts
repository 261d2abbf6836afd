import type { Feature, Services } from '#/platform/feature.ts'
import { sealLedger } from './seal.ts'
import { wake } from '#/platform/jobs/timer.ts'

const sealer = 'ledger-sealer'

/** Seals about once a second; one server does it, and another takes over when that one dies. */
export function ledgerFeature({ db, now }: Services): Feature {
  return {
    reconcilers: {
      [sealer]: async (_key, run) => {
        await sealLedger(db, run.now)
        return { next: run.now.add({ seconds: 1 }) }
      },
    },
    async start() {
      await wake(db, sealer, 'all', now())
      return { [Symbol.asyncDispose]: () => Promise.resolve() }
    },
  }
}
