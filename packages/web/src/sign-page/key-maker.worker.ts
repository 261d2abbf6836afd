import type { KeyMade, KeyWanted } from './make-member-key.ts'
import { base64urlOf, hexOf, randomBytes } from './bytes.ts'
import { proofText, signText, wrapping } from './wrapped-key.ts'

/**
 * A key has to be readable once, while it is wrapped. That happens here, in a worker that ends right after: no script of
 * the page, and no extension that reads the page, ever shares memory with it.
 */
async function make({ wrappingKey, label }: KeyWanted): Promise<KeyMade> {
  const pair = await crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify'])
  const publicKey = hexOf(await crypto.subtle.exportKey('raw', pair.publicKey))
  const iv = randomBytes(12)
  const ciphertext = await crypto.subtle.wrapKey('pkcs8', pair.privateKey, wrappingKey, wrapping(iv, publicKey))
  const proof = hexOf(await signText(pair.privateKey, proofText(publicKey, label)))
  return { publicKey, iv: base64urlOf(iv), ciphertext: base64urlOf(ciphertext), proof }
}

addEventListener('message', ({ data }: MessageEvent<KeyWanted>) => {
  void make(data).then(
    (made) => postMessage({ made }),
    (error: unknown) => postMessage({ error: String(error) }),
  )
})
