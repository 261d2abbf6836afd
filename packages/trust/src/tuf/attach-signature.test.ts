import { expect, test } from 'vitest'
import { type Envelope, signDocument } from '#/envelope.ts'
import { tufKeyOf } from '#/keys.ts'
import { aRelease, goFor, honestWorld, keyOf, members, outsider } from '#/testing/world.ts'
import { attachSignature, signersOf } from './attach-signature.ts'
import { trustedKeysOf } from './repository-state.ts'

const world = honestWorld()
const trusted = trustedKeysOf(world.state, 'retail.pos') ?? { keys: {}, threshold: 1 }
const { signed } = goFor(world, aRelease({ counter: 3 }))
const unsigned: Envelope<typeof signed> = { signed, signatures: [] }

function signatureOf(name: string, about: unknown = signed) {
  const [signature] = signDocument(about, [keyOf(name)]).signatures
  if (!signature) throw new Error('a signed document has a signature')
  return signature
}

test('members sign one after another, wherever they are, and every signature is kept', () => {
  let document = unsigned
  for (const [index, name] of ['mona', 'milo', 'mira'].entries()) {
    const attached = attachSignature(document, signatureOf(name), trusted)
    if (!attached.ok) throw new Error(attached.error.fact)
    document = attached.value
    expect(signersOf(document, trusted)).toHaveLength(index + 1)
  }
  expect(signersOf(document, trusted)).toEqual(members.map(({ keyId }) => keyId).sort())
})

test('a signature that would not count is refused when it arrives', () => {
  const once = attachSignature(unsigned, signatureOf('mona'), trusted)
  if (!once.ok) throw new Error(once.error.fact)
  const ruleOf = (signature: ReturnType<typeof signatureOf>) => {
    const outcome = attachSignature(once.value, signature, trusted)
    return outcome.ok ? 'attached' : outcome.error.rule
  }
  expect(ruleOf(signatureOf('mona'))).toBe('signed-already')
  expect(ruleOf(signatureOf('outsider'))).toBe('not-a-member')
  expect(ruleOf(signatureOf('milo', { ...signed, version: 9 }))).toBe('signature-does-not-fit')
  expect(ruleOf({ keyid: keyOf('milo').keyId, sig: signatureOf('mona').sig })).toBe('signature-does-not-fit')
  expect(ruleOf({ keyid: 'constructor', sig: 'x' })).toBe('not-a-member')
  expect(ruleOf(signatureOf('milo'))).toBe('attached')
})

test('one key under two ids is one signer', () => {
  const mona = tufKeyOf(keyOf('mona').publicKey)
  const [first, alias] = [signatureOf('mona'), { ...signatureOf('mona'), keyid: '0'.repeat(64) }]
  const keys = { [first.keyid]: mona, [alias.keyid]: mona, [outsider.keyId]: tufKeyOf(outsider.publicKey) }
  expect(signersOf({ signed, signatures: [first, alias] }, { keys })).toHaveLength(1)
})
