import { sha256Hex } from '@bascule/contract/device/protocol.ts'
import { z } from 'zod'
import { expiryFrom } from './expiry.ts'

/**
 * What people say under their own key without letting anything out: a vote against, a deferral, a waiver, a sign-off.
 * A statement carries its own `_type` inside the signed bytes. No role file has that type and no statement has the type
 * of a role file, so a signature under the one can never be shown as a signature under the other.
 */
const common = {
  _type: z.literal('bascule-statement'),
  specVersion: z.literal(1),
  /** Id of the key that speaks. */
  by: sha256Hex,
  at: z.string().refine((text) => expiryFrom(text) !== undefined, 'is not an instant such as 2026-11-23T08:00:00Z'),
  /** The release and the manifest it had then: a vote about other bytes is another vote. */
  release: z.string().min(1).max(40),
  manifestSha256: sha256Hex.nullable(),
  reason: z.string().max(2000),
}
const day = z.iso.date()

export const StatementSigned = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('no-go'), ...common, case: z.string().min(1).max(60) }),
  z.strictObject({ kind: z.literal('defer'), ...common, case: z.string().min(1).max(60), untilOn: day }),
  z.strictObject({
    kind: z.literal('waiver'),
    ...common,
    criterion: z.string().min(1).max(60),
    untilOn: day.nullable(),
  }),
  z.strictObject({ kind: z.literal('sign-off'), ...common, criterion: z.string().min(1).max(60) }),
])
export type StatementSigned = z.infer<typeof StatementSigned>
