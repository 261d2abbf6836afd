import type { Bytes } from './bytes.ts'
import { wrappingKeyFrom } from './wrapped-key.ts'

/** What the worker is given: a key that can wrap and nothing else. */
export interface KeyWanted {
  readonly wrappingKey: CryptoKey
  readonly label: string
}

/** What leaves the worker: nothing that is a secret without the passkey. */
export interface KeyMade {
  /** Raw public key, 64 hex characters. */
  readonly publicKey: string
  readonly iv: string
  readonly ciphertext: string
  /** Ed25519 over the proof text, hex. */
  readonly proof: string
}

/** Makes a key, wrapped with the secret of a passkey. */
export async function makeMemberKey(secret: Bytes, label: string): Promise<KeyMade> {
  const wrappingKey = await wrappingKeyFrom(secret, 'wrapKey')
  const worker = new Worker(new URL('./key-maker.worker.ts', import.meta.url), { type: 'module' })
  try {
    const { promise, resolve, reject } = Promise.withResolvers<KeyMade>()
    worker.addEventListener('message', ({ data }: MessageEvent<{ made?: KeyMade; error?: string }>) => {
      if (data.made) resolve(data.made)
      else reject(new Error(`Making a key: ${data.error}`))
    })
    worker.addEventListener('error', ({ message }) => reject(new Error(`Making a key: ${message}`)))
    worker.postMessage({ wrappingKey, label } satisfies KeyWanted, { transfer: [] })
    return await promise
  } finally {
    worker.terminate()
  }
}
