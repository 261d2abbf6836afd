import { ok, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import type { Answer } from './answers.ts'
import { bytesOfBase64url, hexOf } from './bytes.ts'
import { fetchBlob, fetchTufFile } from './fetch-files.ts'
import { readMemory, writeMemory } from './own-memory.ts'
import { lookAtBoards, type OwnView } from './own-view.ts'
import { unlockPasskey } from './passkey.ts'
import type { KeyInRequest, RequestOf } from './requests.ts'
import { listingRoles, type Reviewed, reviewDocuments, reviewStatement } from './review.ts'
import { keyIdOf } from './verify-document.ts'
import { isSignedBy, signText, unwrapMemberKey } from './wrapped-key.ts'

/** A request that may be signed once the person says so: nothing has been unlocked yet. */
export interface ReadyToSign {
  readonly reviewed: readonly Reviewed[]
  readonly keyId: string
  /** Missing for a statement, which is verified against nothing. */
  readonly anchor: OwnView['anchor'] | undefined
}

/** Verifies the boards and reviews what is asked. What was verified is remembered, whatever comes of the request. */
export async function review(request: RequestOf<'sign'> | RequestOf<'say'>): Promise<Result<ReadyToSign, Refusal>> {
  const keyId = await keyIdOf(request.key.publicKey)
  if (request.type === 'say') {
    const said = reviewStatement(request.signed, keyId)
    return said.ok ? ok({ reviewed: [said.value], keyId, anchor: undefined }) : said
  }
  const { documents } = request.draft
  const roles = listingRoles(documents)
  if (!roles.ok) return roles
  const at = Temporal.Now.instant()
  const view = await lookAtBoards({ fetchFile: fetchTufFile, memory: await readMemory(), at }, roles.value)
  if (!view.ok) return view
  await writeMemory(view.value.memory)
  const reviewed = await reviewDocuments({ view: view.value, documents, keyId, at, fetchBlob })
  return reviewed.ok ? ok({ reviewed: reviewed.value, keyId, anchor: view.value.anchor }) : reviewed
}

/** Asks the passkey, signs what was reviewed and nothing else, and forgets the key. */
export async function signReviewed(
  request: RequestOf<'sign'> | RequestOf<'say'>,
  { reviewed, keyId }: ReadyToSign,
): Promise<Result<Answer, Refusal>> {
  const { key } = request
  const secret = await unlockPasskey(key.wrapped.credentialId, bytesOfBase64url(key.wrapped.prfSalt))
  if (!secret.ok) return secret
  const privateKey = await unwrapped(secret.value, key)
  if (!privateKey.ok) return privateKey
  const signatures = await Promise.all(
    reviewed.map(async ({ role, signed }) => {
      const text = canonicalJson(signed)
      const signature = await signText(privateKey.value, text)
      return { role, keyid: keyId, sig: hexOf(signature), fits: await isSignedBy(key.publicKey, text, signature) }
    }),
  )
  if (signatures.some(({ fits }) => !fits)) return { ok: false, error: anotherKey }
  const made = signatures.map(({ role, keyid, sig }) => ({ role, keyid, sig }))
  if (request.type === 'sign') return ok({ type: 'signed', draftId: request.draft.id, signatures: made })
  return ok({ type: 'said', signature: { keyid: keyId, sig: made[0]?.sig ?? '' } })
}

async function unwrapped(
  secret: Parameters<typeof unwrapMemberKey>[0],
  { wrapped, publicKey }: KeyInRequest,
): Promise<Result<CryptoKey, Refusal>> {
  try {
    return ok(await unwrapMemberKey(secret, wrapped, publicKey))
  } catch (error) {
    // The browser says "wrong key" and "changed record" alike, with an error of its own.
    if (error instanceof DOMException) return { ok: false, error: anotherKey }
    throw error
  }
}

const anotherKey: Refusal = {
  rule: 'wrapped-key-is-the-key',
  fact: 'The wrapped key that the application handed over is not the key that it names, or not one of this passkey.',
  lifter: 'Whoever keeps the record of your keys',
  next: 'Make a new key and ask the board to take it.',
}
