import { expect, test } from 'vitest'
import { keyPairFromSeed, signHex, verifyHex } from '@bascule/trust/keys.ts'
import { keyIdOfLocked, LockedKey, lockKey, unlockKey } from './locked-key.ts'

const seed = Buffer.alloc(32, 7)
const passphrase = 'eleven green bridges'
const quick = { label: 'Ada', passphrase, cost: 1 << 14 } as const

test('a key comes back with its passphrase and signs as before', async () => {
  const locked = LockedKey.parse(JSON.parse(JSON.stringify(await lockKey(seed, quick))))
  const opened = await unlockKey(locked, passphrase)
  if (!opened.ok) throw new Error(opened.error)
  expect(opened.value.keyId).toBe(keyPairFromSeed(seed).keyId)
  expect(keyIdOfLocked(locked)).toBe(opened.value.keyId)
  expect(verifyHex(locked.publicKey, 'words', signHex(opened.value, 'words'))).toBe(true)
  expect(JSON.stringify(locked)).not.toContain(seed.toString('hex'))
})

test('a wrong passphrase, another public key and a changed seal do not open it', async () => {
  const locked = await lockKey(seed, quick)
  expect(await unlockKey(locked, 'eleven green bridge')).toEqual({ ok: false, error: 'wrong-passphrase' })
  const other = { ...locked, publicKey: keyPairFromSeed(Buffer.alloc(32, 8)).publicKey }
  expect(await unlockKey(other, passphrase)).toEqual({ ok: false, error: 'wrong-passphrase' })
  const bytes = Buffer.from(locked.cipher.sealed, 'base64url')
  bytes[3] = (bytes[3] ?? 0) ^ 1
  const bent = { ...locked, cipher: { ...locked.cipher, sealed: bytes.toString('base64url') } }
  expect(await unlockKey(bent, passphrase)).toEqual({ ok: false, error: 'wrong-passphrase' })
  const short = { ...locked, cipher: { ...locked.cipher, sealed: 'AAAA' } }
  expect(await unlockKey(short, passphrase)).toEqual({ ok: false, error: 'damaged' })
})

test('the same passphrase typed with other accents opens it, and a file that asks for endless work is refused', async () => {
  const locked = await lockKey(seed, { ...quick, passphrase: 'Br\u00FCcke \uFB01' })
  expect(await unlockKey(locked, 'Bru\u0308cke fi')).toMatchObject({ ok: true })
  expect(LockedKey.safeParse({ ...locked, scrypt: { ...locked.scrypt, n: 1 << 24 } }).success).toBe(false)
})
