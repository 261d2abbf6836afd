import { mkdtempSync, chmodSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createKeyFile, loadKeyFile, loadOrCreateKeyFile } from './key-file.ts'
import { generateKeyPair, keyIdOf, keyPairFromPem, keyPairFromSeed, keyPairToPem, signHex, verifyHex } from './keys.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bascule-keys-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** RFC 8032, 7.1, test 2. */
const rfc8032 = {
  seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  message: '72',
  signature:
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
}

test('signing and verifying give the vector of RFC 8032', () => {
  const pair = keyPairFromSeed(Buffer.from(rfc8032.seed, 'hex'))
  const message = Buffer.from(rfc8032.message, 'hex')
  expect(pair.publicKey).toBe(rfc8032.publicKey)
  expect(signHex(pair, message)).toBe(rfc8032.signature)
  expect(verifyHex(rfc8032.publicKey, message, rfc8032.signature)).toBe(true)
})

test('a key id is the hash of the canonical TUF key object', () => {
  // sha256 of {"keytype":"ed25519","keyval":{"public":"3d40…660c"},"scheme":"ed25519"}, computed with coreutils.
  expect(keyIdOf(rfc8032.publicKey)).toBe('eaf1e23f6c823132f437a2eaa299a7950f7386631deff273db195bbd26209e2b')
})

test.each([
  ['another message', rfc8032.publicKey, 'x', rfc8032.signature],
  ['a shortened signature', rfc8032.publicKey, '\x72', rfc8032.signature.slice(2)],
  ['a signature that is not hex', rfc8032.publicKey, '\x72', 'z'.repeat(128)],
  ['another key', generateKeyPair().publicKey, '\x72', rfc8032.signature],
  ['a key of the wrong length', 'ab', '\x72', rfc8032.signature],
])('%s does not verify and does not throw', (_name, publicKey, message, signature) => {
  expect(verifyHex(publicKey, message, signature)).toBe(false)
})

test('a key survives its PEM', () => {
  const pair = generateKeyPair()
  expect(keyPairFromPem(keyPairToPem(pair)).keyId).toBe(pair.keyId)
})

test('a key file is private, is never overwritten and leaves no draft behind', () => {
  const path = join(folder, 'device.pem')
  const pair = generateKeyPair()
  createKeyFile(path, pair)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(() => {
    createKeyFile(path, generateKeyPair())
  }).toThrow('EEXIST')
  expect(loadOrCreateKeyFile(path, generateKeyPair).keyId).toBe(pair.keyId)
  expect(readdirSync(folder)).toEqual(['device.pem'])
})

test('a key file that others can read, a damaged one and a link are refused', () => {
  const path = join(folder, 'device.pem')
  createKeyFile(path, generateKeyPair())
  symlinkSync(path, join(folder, 'link.pem'))
  expect(() => loadKeyFile(join(folder, 'link.pem'))).toThrow('is a file')
  chmodSync(path, 0o640)
  expect(() => loadKeyFile(path)).toThrow('chmod 600')
  writeFileSync(join(folder, 'half.pem'), '-----BEGIN PRIVATE KEY-----\nMC4C', { mode: 0o600 })
  expect(() => loadKeyFile(join(folder, 'half.pem'))).toThrow('damaged')
})
