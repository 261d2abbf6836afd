import { os } from '#/platform/http/os.ts'
import { listFacts } from './ledger.store.ts'
import { verifyLedger } from './verify-ledger.ts'

const { ledger } = os.platform

export const ledgerRoutes = ledger.router({
  list: ledger.list.handler(async ({ input, context }) => await listFacts(context, input)),
  verify: ledger.verify.handler(async ({ context }) => {
    const { problems, ...report } = await verifyLedger(context.db)
    return { ...report, problems: problems.slice(0, 100) }
  }),
})
