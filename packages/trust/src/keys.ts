import {
  type KeyObject,
  createPrivateKey,
  createPublicKey,
  hash,
  generateKeyPairSync,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import { assert } from '@bascule/domain/lib/result.ts'
import { keyIdOf } from './key-id.ts'

export { keyIdOf, tufKeyOf } from './key-id.ts'

/** An Ed25519 key with its private half. The private half never leaves the process that made or loaded it. */
export interface KeyPair {
  /** SHA-256 of the canonical TUF key object, lower-case hex: the name of the key everywhere. */
  readonly keyId: string
  /** Raw public key, 64 hex characters. */
  readonly publicKey: string
  readonly privateKey: KeyObject
}

/** A new key from the system's random source. */
export function generateKeyPair(): KeyPair {
  return keyPairOf(generateKeyPairSync('ed25519').privateKey)
}

/** The key that belongs to a 32-byte seed. For simulated devices and tests, where chance is an argument. */
export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  assert(seed.length === 32, 'an Ed25519 seed has 32 bytes')
  const der = Buffer.concat([pkcs8Head, seed])
  return keyPairOf(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

/** Reads a PKCS8 PEM. Throws when it is damaged or holds another kind of key. */
export function keyPairFromPem(pem: string): KeyPair {
  return keyPairOf(createPrivateKey({ key: pem, format: 'pem' }))
}

/** PKCS8 PEM, unencrypted: goes into a file that only its owner reads. */
export function keyPairToPem(pair: KeyPair): string {
  return pair.privateKey.export({ format: 'pem', type: 'pkcs8' })
}

/** Ed25519 signature, 128 hex characters. */
export function signHex(pair: KeyPair, message: string | Uint8Array): string {
  return signBytes(null, bytesOf(message), pair.privateKey).toString('hex')
}

/** Whether `signature` (hex) over `message` was made with the raw public key (hex). Anything malformed is false. */
export function verifyHex(publicKey: string, message: string | Uint8Array, signature: string): boolean {
  if (!signaturePattern.test(signature)) return false
  return verifySignature(publicKey, message, Buffer.from(signature, 'hex'))
}

/** As `verifyHex`, with the 64 bytes of the signature. */
export function verifySignature(publicKey: string, message: string | Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64 || !publicKeyPattern.test(publicKey)) return false
  return verifyBytes(null, bytesOf(message), publicKeyObject(publicKey), signature)
}

export function sha256Hex(message: string | Uint8Array): string {
  return hash('sha256', message, 'hex')
}

const publicKeyPattern = /^[0-9a-f]{64}$/
const signaturePattern = /^[0-9a-f]{128}$/
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex')
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Parsed public keys, because parsing one costs a good part of a verification. Bounded; the oldest goes first. */
const parsedKeys = new Map<string, KeyObject>()
const parsedKeysMax = 10_000

function publicKeyObject(publicKey: string): KeyObject {
  const known = parsedKeys.get(publicKey)
  if (known) return known
  const der = Buffer.concat([spkiHead, Buffer.from(publicKey, 'hex')])
  const parsed = createPublicKey({ key: der, format: 'der', type: 'spki' })
  if (parsedKeys.size >= parsedKeysMax) for (const oldest of parsedKeys.keys()) if (parsedKeys.delete(oldest)) break
  parsedKeys.set(publicKey, parsed)
  return parsed
}

function keyPairOf(privateKey: KeyObject): KeyPair {
  assert(privateKey.asymmetricKeyType === 'ed25519', 'the key is an Ed25519 key')
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const publicKey = der.subarray(spkiHead.length).toString('hex')
  return { keyId: keyIdOf(publicKey), publicKey, privateKey }
}

function bytesOf(message: string | Uint8Array): Uint8Array {
  return typeof message === 'string' ? Buffer.from(message, 'utf8') : message
}
