import { expect, test } from 'vitest'
import { candidatesFor, joinCommand, membersOf, quorumText, type Role } from './board-view.ts'

function role(
  name: string,
  threshold: number,
  ...members: [keyId: string, name: string, level: number | null][]
): Role {
  return {
    role: name,
    threshold,
    members: members.map(([keyId, who, level]) => ({ keyId, name: who, level, personId: null, hasSigned: true })),
  } as unknown as Role
}

const roles = [
  role('shops', 2, ['k1', 'Lea', null], ['k2', 'Ada', 3]),
  role('shops.tills', 1, ['k1', 'Lea', 1], ['k3', 'Ada', 2]),
]

test('a key stands once, with all roles that count it and the level that is said of it', () => {
  expect(membersOf({ roles })).toEqual([
    { keyId: 'k2', name: 'Ada', level: 3, roles: ['shops'] },
    { keyId: 'k3', name: 'Ada', level: 2, roles: ['shops.tills'] },
    { keyId: 'k1', name: 'Lea', level: 1, roles: ['shops', 'shops.tills'] },
  ])
})

test('a quorum is told as so many of so many', () => {
  expect(roles.map(quorumText)).toEqual(['2 of 2', '1 of 2'])
})

test('only keys in use that the board does not count yet can join, and a name keeps its blanks in the command', () => {
  const key = (keyId: string, retiredAt: string | null) =>
    ({ keyId, retiredAt }) as Parameters<typeof candidatesFor>[1][0]
  const keys = [key('k1', null), key('k8', '2026-11-24T08:00:00Z'), key('k9', null)]
  expect(candidatesFor({ roles }, keys).map(({ keyId }) => keyId)).toEqual(['k9'])
  expect(joinCommand('shops', 'Ada', 'ab')).toBe('bascule trust join Ada=ab --board shops')
  expect(joinCommand('shops', "Ann O'Hara", 'ab')).toBe(`bascule trust join 'Ann O'\\''Hara=ab' --board shops`)
})
