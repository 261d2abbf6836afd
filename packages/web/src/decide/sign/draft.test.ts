import { expect, test } from 'vitest'
import { keysThatCount, missingIn, namesText, unsignedBy, type Draft, type DraftDocument } from './draft.ts'
import type { MemberKey } from '../key/use-my-keys.ts'

function document(role: string, members: string[], signed: string[]): DraftDocument {
  return {
    role,
    members: members.map((keyId) => ({ keyId, level: 1, personId: null, name: `owner of ${keyId}`, hasSigned: false })),
    signatures: signed.map((keyid) => ({ keyid, sig: '', name: '', at: '' })),
  } as unknown as DraftDocument
}

function draft(state: Draft['state'], ...documents: DraftDocument[]): Draft {
  return { state, documents } as unknown as Draft
}

const keys = [
  { keyId: 'browser', level: 1 },
  { keyId: 'tool', level: 3 },
  { keyId: 'stranger', level: 2 },
] as unknown as MemberKey[]

test('a key counts where its role counts it and it has not signed, the best kept one first', () => {
  const open = draft('signing', document('shops.tills', ['browser', 'tool', 'other'], []))
  expect(keysThatCount(open, keys).map(({ keyId }) => keyId)).toEqual(['tool', 'browser'])
  const signed = draft('signing', document('shops.tills', ['browser', 'tool'], ['tool']))
  expect(keysThatCount(signed, keys).map(({ keyId }) => keyId)).toEqual(['browser'])
})

test('nothing can be signed in the queue or after the publication', () => {
  const documents = document('shops.tills', ['tool'], [])
  expect(keysThatCount(draft('published', documents), keys)).toEqual([])
  expect(keysThatCount(draft('queued'), keys)).toEqual([])
})

test('of several documents a key signs those that it has not signed', () => {
  const two = draft('signing', document('root', ['tool'], ['tool']), document('targets', ['tool'], []))
  expect(unsignedBy(two, 'tool').map(({ role }) => role)).toEqual(['targets'])
})

test('who is missing is told by name, and a long list is cut', () => {
  expect(missingIn(document('shops', ['a', 'b'], ['a']))).toEqual(['owner of b'])
  expect(namesText(['A', 'B', 'C', 'D', 'E', 'F'])).toBe('A, B, C, D and 2 more')
})
