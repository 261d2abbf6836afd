import type { MemberKeyView } from '@bascule/contract/decide/member-key.ts'
import { signHex } from '@bascule/trust/keys.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bodyOf, createDecideWorld, type DecideWorld, registerKey, ruleOf } from '../testing/decide-world.ts'
import { testKey } from '../testing/given-board.ts'

const ann = testKey('ann')
let world: DecideWorld

beforeAll(async () => {
  world = await createDecideWorld()
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

async function keys(): Promise<MemberKeyView[]> {
  return (await world.get<{ items: MemberKeyView[] }>('/decide/member-keys')).items
}

test('a person makes a key known by proving to hold it, and sees where it counts', async () => {
  const made = bodyOf<MemberKeyView>(await registerKey(world.ann, ann))
  expect(made).toMatchObject({ keyId: ann.keyId, personName: 'Ann', level: 3, retiredAt: null })
  expect(made.roles).toEqual(['company', 'company.emergency', 'company.sales-desk', 'company.stop'])
  expect(bodyOf<MemberKeyView>(await registerKey(world.ann, ann)).keyId).toBe(ann.keyId)
  expect(ruleOf(await registerKey(world.ben, ann))).toBe('409 key-has-one-owner')
})

test('a proof over anything else, or by another key, registers nothing', async () => {
  const { publicKey } = testKey('nobody')
  const forged = signHex(ann, `bascule-member-key-v1\n${publicKey}\n3\nlaptop`)
  const body = { publicKey, level: 3, label: 'laptop', proof: forged }
  expect((await world.ben.ask('POST', '/decide/member-keys', body)).statusCode).toBe(400)
  expect((await keys()).some((one) => one.publicKey === publicKey)).toBe(false)
})

test('only who composes boards registers a key for somebody else', async () => {
  const pair = testKey('gift')
  const { publicKey } = pair
  const proof = signHex(pair, `bascule-member-key-v1\n${publicKey}\n3\nlaptop`)
  const body = { publicKey, level: 3, label: 'laptop', proof, personId: world.ben.personId }
  expect((await world.ann.ask('POST', '/decide/member-keys', body)).statusCode).toBe(403)
})

test('a wrapped key is shown to its owner alone', async () => {
  const pair = testKey('passkey')
  const { publicKey } = pair
  const wrapped = { credentialId: 'a', prfSalt: 'b', iv: 'c', ciphertext: 'd' }
  const proof = signHex(pair, `bascule-member-key-v1\n${publicKey}\n2\nphone`)
  bodyOf(await world.ben.ask('POST', '/decide/member-keys', { publicKey, level: 2, label: 'phone', proof, wrapped }))
  const { items } = bodyOf<{ items: MemberKeyView[] }>(await world.ben.ask('GET', '/decide/member-keys'))
  expect(items.find((one) => one.keyId === pair.keyId)?.wrapped).toEqual(wrapped)
  expect((await keys()).find((one) => one.keyId === pair.keyId)?.wrapped).toBeNull()
})

test('a lost key is retired by its owner with a reason, and by nobody else', async () => {
  const pair = testKey('lost')
  bodyOf(await registerKey(world.ben, pair))
  const path = `/decide/member-keys/${pair.keyId}/retire`
  expect((await world.ann.ask('POST', path, { reason: 'Not mine.' })).statusCode).toBe(403)
  expect(
    bodyOf<MemberKeyView>(await world.ben.ask('POST', path, { reason: 'Lost on the train.' })).retiredAt,
  ).not.toBeNull()
  const facts = await world.server.db.selectFrom('ledger').select('did').where('subject_id', '=', pair.keyId).execute()
  expect(facts.map(({ did }) => did)).toEqual(['member-key.registered', 'member-key.retired'])
})
