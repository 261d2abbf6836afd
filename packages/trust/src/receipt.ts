import { type Receipt, ReceiptSigned } from '@bascule/contract/device/protocol.ts'
import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { type EnvelopeRefusalCode, type TrustRefusal, onlyKey, signDocument, verifyDocument } from './envelope.ts'
import { type KeyPair, keyIdOf, tufKeyOf } from './keys.ts'

export type ReceiptRefusal = TrustRefusal<EnvelopeRefusalCode | 'device'>

/** Signs a receipt with the device key. The document stays evidence without the request that carried it. */
export function signReceipt(signed: ReceiptSigned, device: KeyPair): Receipt {
  return signDocument(signed, [device])
}

/** Whether the device with this raw public key (hex) said exactly this about itself, and nobody about another. */
export function verifyReceipt(document: unknown, publicKey: string): Result<ReceiptSigned, ReceiptRefusal> {
  const authentic = verifyDocument(document, onlyKey(tufKeyOf(publicKey)))
  if (!authentic.ok) return authentic
  const parsed = ReceiptSigned.safeParse(authentic.value)
  if (!parsed.success) return refuse({ code: 'malformed', message: 'The receipt is not of the agreed form.' })
  if (parsed.data.device !== keyIdOf(publicKey)) {
    return refuse({ code: 'device', message: 'The receipt speaks about another device than the one that signed it.' })
  }
  return ok(parsed.data)
}
