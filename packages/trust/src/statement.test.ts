import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalise } from './canonical.ts'
import { signDocument } from './envelope.ts'
import { tufKeyOf } from './keys.ts'
import { type StatementSigned, signStatement, verifyStatement } from './statement.ts'
import { aRelease, goFor, honestWorld, keyOf, members, online, now } from './testing/world.ts'
import { signersOf } from './tuf/attach-signature.ts'
import type { RoleSigned } from './tuf/documents.ts'
import { publish } from './tuf/publish.ts'

const world = honestWorld()
const mona = keyOf('mona')
const key = tufKeyOf(mona.publicKey)
const common = {
  _type: 'bascule-statement' as const,
  specVersion: 1 as const,
  by: mona.keyId,
  at: '2026-11-23T08:00:00Z',
  release: 'REL-0002',
  manifestSha256: 'a'.repeat(64),
  reason: 'The tills of Leeds lose receipts.',
}
const statements: StatementSigned[] = [
  { ...common, kind: 'no-go', case: 'CASE-1' },
  { ...common, kind: 'defer', case: 'CASE-1', untilOn: '2026-12-01' },
  { ...common, kind: 'waiver', criterion: 'load-test', untilOn: null },
  { ...common, kind: 'sign-off', criterion: 'load-test' },
]

test.each(statements)('a $kind is what its speaker signed, also after the wire', (statement) => {
  const document = signStatement(statement, mona)
  expect(verifyStatement(JSON.parse(JSON.stringify(document)), key)).toEqual({ ok: true, value: statement })
})

test('a statement of somebody else, about somebody else or changed is refused', () => {
  const [noGo] = statements
  if (!noGo) throw new Error('there is a statement')
  const document = signStatement(noGo, mona)
  expect(verifyStatement(document, tufKeyOf(keyOf('milo').publicKey)).ok).toBe(false)
  expect(verifyStatement({ ...document, signed: { ...noGo, release: 'REL-0003' } }, key).ok).toBe(false)
  const about = signStatement({ ...noGo, by: keyOf('milo').keyId }, mona)
  expect(verifyStatement(about, key)).toMatchObject({ ok: false, error: { code: 'speaker' } })
})

test('a role file is never a statement, and a statement never a role file', () => {
  for (const { signed } of Object.values(world.state.roles)) {
    expect(verifyStatement(signDocument(signed, [mona]), key)).toMatchObject({
      ok: false,
      error: { code: 'malformed' },
    })
  }
  for (const statement of statements) {
    const document = signDocument(statement as unknown as RoleSigned, members)
    const outcome = publish(world.state, { 'retail.pos': document }, { online, at: now })
    expect(outcome).toMatchObject({ ok: false, error: { rule: 'role-has-a-form' } })
  }
})

test('whatever else a document holds, its type decides: no signature serves both', () => {
  const role = goFor(world, aRelease({ counter: 3 })).signed
  const keys = { keys: Object.fromEntries(members.map((member) => [member.keyId, tufKeyOf(member.publicKey)])) }
  fc.assert(
    fc.property(
      fc.constantFrom(...statements),
      fc.dictionary(fc.constantFrom(...Object.keys(role), ...Object.keys(common), 'kind'), fc.jsonValue()),
      (statement, more) => {
        // A statement mixed with anything of a role file stays a statement as long as its type does, and the reverse.
        const mixed = { ...role, ...statement, ...more, _type: 'bascule-statement' }
        const shown = { ...mixed, _type: 'targets' }
        // What has no canonical text cannot be signed at all.
        fc.pre(canonicalise(mixed).ok)
        const document = signDocument(mixed, members)
        expect(publish(world.state, { 'retail.pos': document as never }, { online, at: now }).ok).toBe(false)
        expect(signersOf({ signed: shown, signatures: document.signatures }, keys)).toEqual([])
        expect(verifyStatement(signDocument(shown, [mona]), key).ok).toBe(false)
      },
    ),
    { numRuns: 300 },
  )
})
