import { Signature, type TufKey } from '@bascule/contract/device/protocol.ts'
import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { z } from 'zod'
import {
  type Envelope,
  type EnvelopeRefusalCode,
  type TrustRefusal,
  onlyKey,
  signDocument,
  verifyDocument,
} from './envelope.ts'
import { type KeyPair, keyIdOf } from './keys.ts'
import { StatementSigned } from './statement-form.ts'

export { StatementSigned }

export const Statement = z.object({ signed: StatementSigned, signatures: z.array(Signature).length(1) })
export type Statement = z.infer<typeof Statement>
export type StatementRefusal = TrustRefusal<EnvelopeRefusalCode | 'speaker'>

/** Signs a statement with the key of the one who speaks. */
export function signStatement(signed: StatementSigned, speaker: KeyPair): Envelope<StatementSigned> {
  return signDocument(signed, [speaker])
}

/** Whether the owner of this key said exactly this. */
export function verifyStatement(document: unknown, key: TufKey): Result<StatementSigned, StatementRefusal> {
  const authentic = verifyDocument(document, onlyKey(key))
  if (!authentic.ok) return authentic
  const parsed = StatementSigned.safeParse(authentic.value)
  if (!parsed.success) return refuse({ code: 'malformed', message: 'The statement is not of the agreed form.' })
  if (parsed.data.by !== keyIdOf(key.keyval.public)) {
    return refuse({ code: 'speaker', message: 'The statement names another speaker than the one who signed it.' })
  }
  return ok(parsed.data)
}
