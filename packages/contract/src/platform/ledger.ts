import * as z from 'zod'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'

export const FactView = z.object({
  id: z.int().describe('Grows with time; also the version that events carry.'),
  at: instant,
  actor: z.object({ kind: z.enum(['person', 'machine', 'device', 'system']), id: z.string(), name: z.string() }),
  did: z.string(),
  subject: z.object({ kind: z.string(), id: z.string() }),
  releaseId: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
})
export type FactView = z.infer<typeof FactView>

export const LedgerFilter = PageInput.extend({
  subjectKind: z.string().max(60).optional(),
  subjectId: z.string().max(100).optional(),
  releaseId: z.string().max(100).optional(),
  actorId: z.string().max(100).optional(),
})
export type LedgerFilter = z.infer<typeof LedgerFilter>

export const ledger = {
  list: procedure
    .meta({ permission: 'ledger.read' })
    .route({ method: 'GET', path: '/platform/ledger', summary: 'List facts, the newest first' })
    .input(LedgerFilter)
    .output(pageOf(FactView)),
  verify: procedure
    .meta({ permission: 'ledger.read' })
    .route({ method: 'POST', path: '/platform/ledger/verify', summary: 'Check every seal of the ledger' })
    .output(
      z.object({
        intact: z.boolean(),
        seals: z.int(),
        facts: z.int(),
        unsealed: z.int(),
        lastSeal: z.string().nullable(),
        problems: z.array(z.object({ seal: z.int().nullable(), problem: z.string() })),
      }),
    ),
}
