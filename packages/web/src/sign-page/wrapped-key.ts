import type { WrappedKey } from '@bascule/contract/decide/member-key.ts'
import { bytesOfBase64url, bytesOfHex, type Bytes, utf8 } from './bytes.ts'

/** Level 2: behind a passkey, on a page of its own. */
export const passkeyLevel = 2

const ed25519 = { name: 'Ed25519' } as const
const purpose = utf8('bascule member key, wrapped by a passkey, v1')

/** The key that wraps, from the secret that the passkey gives for one salt. It can do this one thing and is never read out. */
export async function wrappingKeyFrom(secret: Bytes, use: 'wrapKey' | 'unwrapKey'): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey'])
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info: purpose }
  return await crypto.subtle.deriveKey(hkdf, material, { name: 'AES-GCM', length: 256 }, false, [use])
}

/** How a private key is wrapped. The public key is bound to it, so one record cannot be passed off as another. */
export function wrapping(iv: Bytes, publicKey: string): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: bytesOfHex(publicKey) }
}

/** What whoever registers a key signs with it, so that nobody registers a key of somebody else. */
export function proofText(publicKey: string, label: string): string {
  return `bascule-member-key-v1\n${publicKey}\n${passkeyLevel}\n${label}`
}

/** The private key, for signing only. Throws when the secret, the record or the public key is another one's. */
export async function unwrapMemberKey(secret: Bytes, wrapped: WrappedKey, publicKey: string): Promise<CryptoKey> {
  const wrappingKey = await wrappingKeyFrom(secret, 'unwrapKey')
  const how = wrapping(bytesOfBase64url(wrapped.iv), publicKey)
  const ciphertext = bytesOfBase64url(wrapped.ciphertext)
  return await crypto.subtle.unwrapKey('pkcs8', ciphertext, wrappingKey, how, ed25519, false, ['sign'])
}

/** Ed25519 over the text. */
export async function signText(privateKey: CryptoKey, text: string): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(ed25519, privateKey, utf8(text)))
}

/** Whether a signature over the text was made with the raw public key (hex). */
export async function isSignedBy(publicKey: string, text: string, signature: Bytes): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', bytesOfHex(publicKey), ed25519, false, ['verify'])
  return await crypto.subtle.verify(ed25519, key, signature, utf8(text))
}
