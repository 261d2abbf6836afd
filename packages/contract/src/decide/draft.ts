import * as z from 'zod'
import { keyId, Signature } from '../device/protocol.ts'
import { procedure } from '../lib/procedure.ts'
import { DraftView, draftStates, roleName } from './signing.ts'

const draftId = z.uuid()
const documentMaxCount = 100

/** A document that a custodian's or a member's tool has made and, mostly, signed already. */
export const ProposedDocument = z.object({
  role: roleName,
  decision: z.unknown(),
  signed: z.record(z.string(), z.unknown()),
  signatures: z.array(Signature).max(100),
})

export const draft = {
  list: procedure
    .meta({ permission: 'board.read' })
    .route({ method: 'GET', path: '/decide/drafts', summary: 'Drafts of signed documents, newest first' })
    .input(z.object({ state: z.enum(draftStates).optional(), keyId: keyId.optional() }))
    .output(z.object({ items: z.array(DraftView) })),
  get: procedure
    .meta({ permission: 'board.read' })
    .route({ method: 'GET', path: '/decide/drafts/{draftId}', summary: 'One draft with its documents and signatures' })
    .input(z.object({ draftId }))
    .output(DraftView),
  propose: procedure
    .meta({ permission: 'authority.write', bodyBytes: 8_000_000 })
    .route({
      method: 'POST',
      path: '/decide/drafts',
      summary: 'Propose documents that a ceremony or a change of a board has made',
      successStatus: 201,
    })
    .input(
      z.object({
        title: z.string().trim().min(1).max(200),
        kind: z.enum(['governance', 'ceremony']),
        documents: z.array(ProposedDocument).min(1).max(documentMaxCount),
      }),
    )
    .output(DraftView),
  sign: procedure
    .meta({ permission: 'board.vote' })
    .route({ method: 'POST', path: '/decide/drafts/{draftId}/sign', summary: 'Attach signatures to a draft' })
    .input(
      z.object({
        draftId,
        signatures: z
          .array(Signature.extend({ role: roleName }))
          .min(1)
          .max(documentMaxCount),
      }),
    )
    .output(DraftView),
  withdraw: procedure
    .meta({ permission: 'authority.write' })
    .route({
      method: 'POST',
      path: '/decide/drafts/{draftId}/withdraw',
      summary: 'Withdraw a draft that is not published',
    })
    .input(z.object({ draftId, reason: z.string().trim().min(1).max(1000) }))
    .output(DraftView),
}
