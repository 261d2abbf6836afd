import type { Signature } from '@bascule/contract/device/protocol.ts'
import { type Refusal, type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { canonicalise } from '#/canonical.ts'
import type { Envelope, TrustedKeys } from '#/envelope.ts'
import { verifyHex } from '#/keys.ts'

export type AttachRefusal = Refusal<'not-a-member' | 'signed-already' | 'signature-does-not-fit'>

/**
 * Adds one member's signature to a document, wherever it was made. It is verified on arrival, so that what collects
 * signatures never holds one that will not count. All are kept, also those above the quorum: then the document stays
 * valid when a member leaves.
 */
export function attachSignature<Signed>(
  document: Envelope<Signed>,
  signature: Signature,
  trusted: TrustedKeys,
): Result<Envelope<Signed>, AttachRefusal> {
  const who = signature.keyid.slice(0, 12)
  const key = Object.hasOwn(trusted.keys, signature.keyid) ? trusted.keys[signature.keyid] : undefined
  if (!key) {
    return refuse({
      rule: 'not-a-member',
      fact: `The key ${who} is not among the ${Object.keys(trusted.keys).length} keys of this role.`,
      lifter: 'The governance quorum of the board',
      next: 'Sign with the key that the board lists for you, or ask for a change of the members.',
    })
  }
  if (document.signatures.some(({ keyid }) => keyid === signature.keyid)) {
    return refuse({
      rule: 'signed-already',
      fact: `The key ${who} has signed this document.`,
      lifter: 'Nobody: one key counts once',
      next: 'Ask another member to sign.',
    })
  }
  const message = canonicalise(document.signed)
  if (!message.ok || !verifyHex(key.keyval.public, message.value, signature.sig)) {
    return refuse({
      rule: 'signature-does-not-fit',
      fact: `The signature of the key ${who} was not made over this document.`,
      lifter: 'The member who signs',
      next: 'Fetch the draft again, review it and sign what is shown.',
    })
  }
  return ok({ signed: document.signed, signatures: [...document.signatures, signature] })
}

/** Ids of the trusted keys that really signed, sorted. The same key under two ids is one signer. */
export function signersOf(document: Envelope<unknown>, trusted: Pick<TrustedKeys, 'keys'>): string[] {
  const message = canonicalise(document.signed)
  if (!message.ok) return []
  const idByKey = new Map<string, string>()
  for (const { keyid, sig } of document.signatures) {
    const publicKey = Object.hasOwn(trusted.keys, keyid) ? trusted.keys[keyid]?.keyval.public : undefined
    if (publicKey !== undefined && verifyHex(publicKey, message.value, sig)) idByKey.set(publicKey, keyid)
  }
  return [...idByKey.values()].sort()
}
