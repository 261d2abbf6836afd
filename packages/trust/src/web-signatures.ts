import type { Signature } from '@bascule/contract/device/protocol.ts'
import { canonicalise } from './canonical.ts'
import type { Envelope, TrustedKeys } from './envelope.ts'
import { keyIdOf } from './key-id.ts'

/**
 * The signatures of trusted keys that fit a document, one for each key, with the cryptography that browsers and Node
 * have in common. A key counts only under the id that is its own hash.
 */
export async function fittingSignatures(
  document: Envelope<unknown>,
  { keys }: Pick<TrustedKeys, 'keys'>,
): Promise<Signature[]> {
  const message = canonicalise(document.signed)
  if (!message.ok) return []
  const bytes = new TextEncoder().encode(message.value)
  const fitting = new Map<string, Signature>()
  for (const signature of document.signatures) {
    const publicKey = Object.hasOwn(keys, signature.keyid) ? keys[signature.keyid]?.keyval.public : undefined
    if (publicKey === undefined || keyIdOf(publicKey) !== signature.keyid || fitting.has(publicKey)) continue
    if (await fits(publicKey, bytes, signature.sig)) fitting.set(publicKey, signature)
  }
  return [...fitting.values()]
}

async function fits(publicKey: string, message: Uint8Array<ArrayBuffer>, signature: string): Promise<boolean> {
  const [raw, sig] = [bytesOfHex(publicKey, 32), bytesOfHex(signature, 64)]
  if (!raw || !sig) return false
  try {
    const key = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify'])
    return await crypto.subtle.verify('Ed25519', key, sig, message)
  } catch (error) {
    // Bytes that are no point of the curve are no key, and so nobody's signature; where there is no Ed25519 at all, say it.
    if (error instanceof DOMException && error.name === 'DataError') return false
    throw new Error('Verifying an Ed25519 signature', { cause: error })
  }
}

function bytesOfHex(text: string, count: number): Uint8Array<ArrayBuffer> | undefined {
  if (text.length !== count * 2 || !/^[0-9a-f]*$/.test(text)) return undefined
  return Uint8Array.from({ length: count }, (_none, index) => Number.parseInt(text.slice(index * 2, index * 2 + 2), 16))
}
