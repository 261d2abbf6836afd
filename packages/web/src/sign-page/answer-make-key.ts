import { ok, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import type { Answer } from './answers.ts'
import { base64urlOf, type Bytes, randomBytes } from './bytes.ts'
import { makeMemberKey } from './make-member-key.ts'
import { makePasskey, unlockPasskey } from './passkey.ts'
import type { RequestOf } from './requests.ts'

const saltBytes = 32

/** A passkey that was made and, mostly, has given its secret already. */
export interface MadePasskey {
  readonly credentialId: string
  readonly salt: Bytes
  /** Missing where the authenticator gives it only when it is used: then it is asked once more. */
  readonly secret: Bytes | undefined
}

/** First touch: a new passkey of this page. */
export async function beginKey({ label, personName }: RequestOf<'make-key'>): Promise<Result<MadePasskey, Refusal>> {
  const salt = randomBytes(saltBytes)
  const made = await makePasskey(salt, { label, personName })
  return made.ok ? ok({ salt, ...made.value }) : made
}

/** Second touch, where it is needed, and then the key itself. */
export async function finishKey(
  { label }: RequestOf<'make-key'>,
  { credentialId, salt, secret }: MadePasskey,
): Promise<Result<Answer, Refusal>> {
  const given = secret === undefined ? await unlockPasskey(credentialId, salt) : ok(secret)
  if (!given.ok) return given
  const { publicKey, iv, ciphertext, proof } = await makeMemberKey(given.value, label)
  const wrapped = { credentialId, prfSalt: base64urlOf(salt), iv, ciphertext }
  return ok({ type: 'key', publicKey, wrapped, proof })
}
