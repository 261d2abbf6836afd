import type { WrappedKey } from '@bascule/contract/decide/member-key.ts'
import { Signature, sha256Hex } from '@bascule/contract/device/protocol.ts'
import { z } from 'zod'

/**
 * What the application may ask of this page. Everything in it is a claim: of a document it is read what it says, what
 * was decided and who signed; which key counts and what a signature means is found out here.
 */
const text = z.string().min(1).max(2000)
const wrapped = z.object({
  credentialId: z.string().max(1400),
  prfSalt: z.string().max(100),
  iv: z.string().max(100),
  ciphertext: z.string().max(1000),
}) satisfies z.ZodType<WrappedKey>
const key = z.object({ publicKey: sha256Hex, label: text, wrapped })

const document = z.object({
  role: z.string().max(121),
  decision: z.unknown(),
  signed: z.record(z.string(), z.unknown()),
  signatures: z.array(Signature).max(100),
})

const SignRequest = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('sign'),
    draft: z.object({ id: z.string().max(100), documents: z.array(document).min(1).max(100) }),
    caseTitle: text,
    key,
  }),
  z.object({ type: z.literal('say'), signed: z.record(z.string(), z.unknown()), caseTitle: text, key }),
  z.object({ type: z.literal('make-key'), label: text.max(100), personName: text.max(200) }),
])
export type SignRequest = z.infer<typeof SignRequest>
export type RequestOf<Type extends SignRequest['type']> = Extract<SignRequest, { type: Type }>
export type KeyInRequest = z.infer<typeof key>
export type DocumentInRequest = z.infer<typeof document>

/** Reads a message; undefined for everything that is no request. */
export function requestFrom(data: unknown): SignRequest | undefined {
  return SignRequest.safeParse(data).data
}
