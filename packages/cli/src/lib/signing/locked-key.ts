import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { sha256Hex } from '@bascule/contract/device/protocol.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { keyIdOf, keyPairFromSeed, type KeyPair } from '@bascule/trust/keys.ts'
import * as z from 'zod'

/**
 * A private key under a passphrase, as it lies on the member's disk (docs/formats/key-file.md). The passphrase becomes a
 * key by scrypt, which costs 128 MB and some tenths of a second per guess; AES-256-GCM closes the 32-byte seed with it. The public
 * part is bound to the lock as additional data, so a file whose public key was exchanged does not open.
 */
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)
const Scrypt = z.strictObject({
  // Bounded, because a file that somebody else wrote must not make this machine work for hours or take all its memory.
  n: z.union([z.literal(1 << 14), z.literal(1 << 15), z.literal(1 << 16), z.literal(1 << 17), z.literal(1 << 18)]),
  r: z.literal(8),
  p: z.literal(1),
  salt: base64url.max(100),
})
export const LockedKey = z.strictObject({
  format: z.literal('bascule-key-v1'),
  label: z.string().min(1).max(100),
  publicKey: sha256Hex,
  scrypt: Scrypt,
  cipher: z.strictObject({ name: z.literal('aes-256-gcm'), iv: base64url.max(32), sealed: base64url.max(100) }),
})
export type LockedKey = z.infer<typeof LockedKey>

export type UnlockProblem = 'wrong-passphrase' | 'damaged'

const usualCost = 1 << 17
const tagBytes = 16
const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

/** Closes a seed of 32 bytes under a passphrase. */
export async function lockKey(
  seed: Uint8Array,
  { label, passphrase, cost = usualCost }: { label: string; passphrase: string; cost?: LockedKey['scrypt']['n'] },
): Promise<LockedKey> {
  const { publicKey } = keyPairFromSeed(seed)
  const [salt, iv] = [randomBytes(16), randomBytes(12)]
  const parameters = { n: cost, r: 8, p: 1, salt: salt.toString('base64url') } as const
  const cipher = createCipheriv('aes-256-gcm', await keyFrom(passphrase, parameters), iv)
  cipher.setAAD(Buffer.from(publicKey, 'hex'))
  const sealed = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()])
  return {
    format: 'bascule-key-v1',
    label,
    publicKey,
    scrypt: parameters,
    cipher: { name: 'aes-256-gcm', iv: iv.toString('base64url'), sealed: sealed.toString('base64url') },
  }
}

/** Opens a key. A wrong passphrase and a changed file cannot be told apart by the cipher; only the form can be damaged. */
export async function unlockKey(locked: LockedKey, passphrase: string): Promise<Result<KeyPair, UnlockProblem>> {
  const [iv, sealed] = [locked.cipher.iv, locked.cipher.sealed].map((text) => Buffer.from(text, 'base64url'))
  if (iv?.length !== 12 || sealed?.length !== 32 + tagBytes) return refuse('damaged')
  const decipher = createDecipheriv('aes-256-gcm', await keyFrom(passphrase, locked.scrypt), iv)
  decipher.setAAD(Buffer.from(locked.publicKey, 'hex'))
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  try {
    const seed = Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()])
    const pair = keyPairFromSeed(seed)
    return pair.publicKey === locked.publicKey ? ok(pair) : refuse('damaged')
  } catch {
    // The tag does not fit: GCM says nothing more, and nothing more can be known.
    return refuse('wrong-passphrase')
  }
}

/** The name of a key everywhere, from the file and without the passphrase. */
export function keyIdOfLocked({ publicKey }: Pick<LockedKey, 'publicKey'>): string {
  return keyIdOf(publicKey)
}

async function keyFrom(passphrase: string, { n, r, p, salt }: LockedKey['scrypt']): Promise<Buffer> {
  const maxmem = 256 * n * r
  // One text, one passphrase, whichever keyboard typed the accents.
  return await derive(passphrase.normalize('NFKC'), Buffer.from(salt, 'base64url'), 32, { N: n, r, p, maxmem })
}
