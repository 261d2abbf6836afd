import { caseKinds, caseStates } from '@bascule/domain/decide/case.ts'
import * as z from 'zod'
import { keyId, Signature } from '../device/protocol.ts'
import { RefusalView } from '../lib/errors.ts'
import { caseId, releaseId } from '../lib/ids.ts'
import { procedure } from '../lib/procedure.ts'
import { day, instant } from '../lib/time.ts'
import { DraftView, KeyLevel } from './signing.ts'

const reason = z.string().trim().min(1).max(2000)

/** What one member said. A go is a signature under the document itself; everything else is a signed statement. */
export const VoteView = z.object({
  keyId,
  name: z.string(),
  level: KeyLevel.nullable(),
  /** Roles that the person has here, in words: "Release manager, Board member". */
  roles: z.array(z.string()),
  said: z.enum(['go', 'no-go', 'defer', 'nothing-yet']),
  reason: z.string().nullable(),
  untilOn: day.nullable(),
  at: instant.nullable(),
})
export type VoteView = z.infer<typeof VoteView>

export const CaseRow = z.object({
  id: caseId,
  kind: z.enum(caseKinds),
  state: z.enum(caseStates),
  releaseId,
  title: z.string(),
  version: z.string(),
  board: z.string(),
  role: z.string(),
  askedBy: z.string(),
  askedAt: instant,
  decidedAt: instant.nullable(),
  signatures: z.int(),
  threshold: z.int(),
})
export type CaseRow = z.infer<typeof CaseRow>

export const CaseView = CaseRow.extend({
  reason: z.string().nullable(),
  productLine: z.string(),
  path: z.string(),
  manifestSha256: z.string(),
  counter: z.int(),
  audience: z.int(),
  phases: z.array(
    z.object({
      order: z.int(),
      name: z.string(),
      devices: z.int(),
      notBefore: instant.nullable(),
      notAfter: instant.nullable(),
      serverDecidesWho: z.boolean(),
    }),
  ),
  packages: z.array(z.object({ name: z.string(), version: z.string() })),
  autoBackout: z.boolean(),
  mayRemove: z.boolean(),
  /** Releases that devices may go back to from this one without another signature. */
  returnsTo: z.array(z.string()),
  votes: z.array(VoteView),
  dissent: z.array(z.object({ name: z.string(), reason: z.string() })),
  notMet: z.array(RefusalView).describe('What a careful member would ask about: it does not forbid the signature.'),
  /** What the question means, and after the decision what devices may do now, in plain sentences. */
  asks: z.array(z.string()),
  devicesMayNow: z.array(z.string()),
  draft: DraftView.nullable(),
})
export type CaseView = z.infer<typeof CaseView>

export const StatementInput = z.object({
  signed: z.record(z.string(), z.unknown()),
  signatures: z.array(Signature).length(1),
})

const one = z.object({ caseId })
/** Cases that follow from a release that is out there already. */
const laterKind = z.enum(['withdraw', 'back-out-from', 'open-phases', 'ratify', 'stop', 'lift-stop'])

export const decisionCase = {
  list: procedure
    .meta({ permission: 'board.read' })
    .route({ method: 'GET', path: '/decide/cases', summary: 'Cases, newest first' })
    .input(
      z.object({
        state: z.enum(caseStates).optional(),
        releaseId: releaseId.optional(),
        /** Cases that wait for this key. */
        keyId: keyId.optional(),
      }),
    )
    .output(z.object({ items: z.array(CaseRow) })),
  get: procedure
    .meta({ permission: 'board.read' })
    .route({ method: 'GET', path: '/decide/cases/{caseId}', summary: 'One case with its votes and its draft' })
    .input(one)
    .output(CaseView),
  ask: procedure
    .meta({ permission: 'release.write' })
    .route({
      method: 'POST',
      path: '/releases/{releaseId}/ask-board',
      summary: 'Freeze the plan of a release and ask its board for a Go',
      successStatus: 201,
    })
    .input(z.object({ releaseId, path: z.enum(['normal', 'emergency']).default('normal'), reason: reason.nullish() }))
    .output(one),
  propose: procedure
    .meta({ permission: 'board.vote' })
    .route({
      method: 'POST',
      path: '/releases/{releaseId}/cases',
      summary: 'Ask for a decision about a release that was let out: stop, withdraw, go back, ratify',
      successStatus: 201,
    })
    .input(z.object({ releaseId, kind: laterKind, from: releaseId.optional(), reason }))
    .output(one),
  say: procedure
    .meta({ permission: 'board.vote' })
    .route({ method: 'POST', path: '/decide/cases/{caseId}/statements', summary: 'Record a signed no-go or deferral' })
    .input(one.extend({ statement: StatementInput }))
    .output(CaseView),
  withdraw: procedure
    .meta({ permission: 'release.write' })
    .route({
      method: 'POST',
      path: '/decide/cases/{caseId}/withdraw',
      summary: 'Take a question back before it is decided',
    })
    .input(one.extend({ reason }))
    .output(CaseView),
}
