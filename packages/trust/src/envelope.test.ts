import type { TufKey } from '@bascule/contract/device/protocol.ts'
import { expect, test } from 'vitest'
import { expiryFrom, expiryText, signDocument, verifyDocument } from './envelope.ts'
import { type KeyPair, generateKeyPair, tufKeyOf } from './keys.ts'

const [ada, ben, cem] = [generateKeyPair(), generateKeyPair(), generateKeyPair()] as const
const outsider = generateKeyPair()
const content = { _type: 'example', text: 'line\nbreak, "quotes" and 😀' }
const twoOfThree = { keys: keysOf(ada, ben, cem), threshold: 2 }

test('a quorum is enough, with or without others beside it', () => {
  expect(verifyDocument(signDocument(content, [ada, cem]), twoOfThree)).toEqual({ ok: true, value: content })
  expect(verifyDocument(signDocument(content, [outsider, ada, cem]), twoOfThree).ok).toBe(true)
})

test.each([
  ['one of two', signDocument(content, [ada]), 'threshold'],
  ['a member and an outsider', signDocument(content, [ada, outsider]), 'threshold'],
  ['one member twice', signDocument(content, [ada, ada]), 'duplicate-signature'],
  ['a copied signature', renamed(signDocument(content, [ada]), ben), 'bad-signature'],
])('%s is not a quorum', (_name, document, code) => {
  expect(verifyDocument(document, twoOfThree)).toMatchObject({ ok: false, error: { code } })
})

test('one person under two key ids condemns the whole trust', () => {
  const alias = { ...keysOf(ada), [ben.keyId]: tufKeyOf(ada.publicKey) }
  const document = renamed(signDocument(content, [ada]), ben)
  expect(verifyDocument(document, { keys: alias, threshold: 2 })).toMatchObject({ error: { code: 'key-id' } })
})

test.each([0, -1, 0.5, 4, Number.NaN])('a threshold of %d of three is refused', (threshold) => {
  const document = signDocument(content, [ada, ben, cem])
  expect(verifyDocument(document, { ...twoOfThree, threshold })).toMatchObject({ error: { code: 'key-id' } })
})

test('a key id that is a name of every object finds no key', () => {
  const document = { signed: content, signatures: [{ keyid: 'constructor', sig: 'a'.repeat(128) }] }
  expect(verifyDocument(document, twoOfThree)).toMatchObject({ error: { code: 'malformed' } })
})

test.each(['never', '', '2026-11-23', '2026-02-30T00:00:00Z', '2026-11-23T08:00:00', 1795420800, null, undefined])(
  '%j is no expiry',
  (text) => {
    expect(expiryFrom(text)).toBeUndefined()
  },
)

test('an expiry is written in whole seconds and never later than asked', () => {
  const at = Temporal.Instant.from('2026-11-23T08:00:00.999Z')
  expect(expiryText(at)).toBe('2026-11-23T08:00:00Z')
  expect(expiryFrom(expiryText(at))?.toString()).toBe('2026-11-23T08:00:00Z')
})

function keysOf(...pairs: readonly KeyPair[]): Record<string, TufKey> {
  return Object.fromEntries(pairs.map((pair) => [pair.keyId, tufKeyOf(pair.publicKey)]))
}

function renamed(document: ReturnType<typeof signDocument>, beside: KeyPair) {
  const copies = document.signatures.map((signature) => ({ ...signature, keyid: beside.keyId }))
  return { ...document, signatures: [...document.signatures, ...copies] }
}
