import { signDocument } from '@bascule/trust/envelope.ts'
import { generateKeyPair, type KeyPair } from '@bascule/trust/keys.ts'
import { publish, type Documents } from '@bascule/trust/tuf/publish.ts'
import { emptyRepository, type RepositoryDraft, type RepositoryState } from '@bascule/trust/tuf/repository-state.ts'
import type { Refusal, Result } from '@bascule/domain/lib/result.ts'
import { expect, test } from 'vitest'
import {
  addLineChanges,
  ceremonyChanges,
  type Change,
  custodianChanges,
  documentsOf,
  joinChanges,
  leaveChanges,
  onlineChanges,
  quorumChanges,
  renewChanges,
  replaceKeyChanges,
} from './governance.ts'

const at = Temporal.Instant.from('2026-11-23T08:00:00Z')
const [ada, ben, cas, dan] = Array.from({ length: 4 }, generateKeyPair) as [KeyPair, KeyPair, KeyPair, KeyPair]
const online = { snapshot: generateKeyPair(), timestamp: generateKeyPair(), director: generateKeyPair() }
const onlinePublic = {
  snapshot: online.snapshot.publicKey,
  timestamp: online.timestamp.publicKey,
  director: online.director.publicKey,
}

/** What a signer would publish: the rules of the signer itself, and signatures of exactly these people. */
function published(
  repository: RepositoryDraft,
  changes: readonly Change[],
  signers: readonly KeyPair[],
  keys = online,
) {
  const made = documentsOf(repository, changes, at)
  if (!made.ok) throw new Error(made.error.fact)
  const documents: Documents = Object.fromEntries(
    made.value.map(({ role, signed }) => [role, signDocument(signed, signers)]),
  )
  return publish(repository, documents, {
    online: { snapshot: [keys.snapshot], timestamp: [keys.timestamp] },
    at,
  })
}

function stateOf(outcome: ReturnType<typeof published>): RepositoryState {
  if (!outcome.ok) throw new Error(`${outcome.error.rule}: ${outcome.error.fact}`)
  return outcome.value.state
}

function changesOf(outcome: Result<Change[], Refusal<string>>): Change[] {
  if (!outcome.ok) throw new Error(outcome.error.fact)
  return outcome.value
}

function board(quorum: number, keys: readonly KeyPair[] = [ada, ben, cas]): RepositoryState {
  const plan = {
    board: 'company',
    lines: ['till'],
    custodians: keys.map(({ publicKey }) => publicKey),
    threshold: quorum,
    members: keys.map(({ publicKey }) => ({ publicKey, level: 3 })),
    quorum,
    emergencyQuorum: Math.min(2, quorum),
    online: onlinePublic,
  }
  return stateOf(published(emptyRepository, ceremonyChanges(plan), keys.slice(0, quorum)))
}

test('a ceremony is publishable with the quorum and with nobody less', () => {
  const state = board(2)
  expect(Object.keys(state.roles).sort()).toEqual([
    'company',
    'company.emergency',
    'company.stop',
    'company.till',
    'targets',
  ])
  expect(() => board(2, [ada])).toThrow(/./)
  expect(board(1, [ada, ben]).roles['company.till']?.signed.version).toBe(1)
})

test('a new line comes with its first file, and twice it is refused', () => {
  const state = stateOf(published(board(2), changesOf(addLineChanges(board(2), 'company', 'web')), [ada, ben]))
  expect(state.roles['company.web']?.signed.version).toBe(1)
  expect(addLineChanges(state, 'company', 'web')).toMatchObject({ error: { rule: 'line-is-new' } })
  expect(addLineChanges(state, 'other', 'web')).toMatchObject({ error: { rule: 'board-is-there' } })
})

test('who joins may sign at once, and who leaves takes no quorum along', () => {
  const joined = stateOf(
    published(board(2), changesOf(joinChanges(board(2), 'company', { publicKey: dan.publicKey })), [ada, ben]),
  )
  const byNew = published(joined, renewChanges(['company.till']), [cas, dan])
  expect(stateOf(byNew).roles['company.till']?.signed.version).toBe(2)

  // Ada signed every file of the ceremony: those who stay sign them again, in the same publication. One who stays is
  // enough for the stops, and Ben has signed those.
  const leaving = changesOf(leaveChanges(joined, 'company', ada.publicKey))
  const made = documentsOf(joined, leaving, at)
  expect(made.ok && made.value.map(({ role }) => role).sort()).toEqual([
    'company',
    'company.emergency',
    'company.till',
    'targets',
  ])
  const left = stateOf(published(joined, leaving, [ben, cas]))
  expect(published(left, renewChanges(['company.till']), [ada, ben])).toMatchObject({ ok: false })
})

test('a lost key is replaced with the quorum that is left, in every role of the board', () => {
  const state = board(2)
  const changes = changesOf(replaceKeyChanges(state, 'company', ada.publicKey, { publicKey: dan.publicKey, level: 3 }))
  expect(published(state, changes, [ada, ben])).toMatchObject({ ok: false })
  const next = stateOf(published(state, changes, [ben, cas]))
  expect(JSON.stringify(next.roles['company'])).not.toContain(ada.publicKey)
  expect(published(next, renewChanges(['company.stop']), [dan]).ok).toBe(true)
})

test('a higher quorum has the files signed again by as many, and the same quorum is no change', () => {
  const state = board(1, [ada, ben, cas])
  const changes = changesOf(quorumChanges(state, 'company', { quorum: 2 }))
  expect(published(state, changes, [ada])).toMatchObject({ ok: false })
  const next = stateOf(published(state, changes, [ada, ben]))
  expect(published(next, renewChanges(['company.till']), [ada])).toMatchObject({ ok: false })
  expect(quorumChanges(next, 'company', { quorum: 2 })).toMatchObject({ error: { rule: 'change-changes-something' } })
})

test('stolen online keys are replaced by custodians, and a custodian by the others', () => {
  const state = board(2)
  const fresh = { snapshot: generateKeyPair(), timestamp: generateKeyPair(), director: generateKeyPair() }
  const freshPublic = {
    snapshot: fresh.snapshot.publicKey,
    timestamp: fresh.timestamp.publicKey,
    director: fresh.director.publicKey,
  }
  const rotated = stateOf(published(state, changesOf(onlineChanges(state, freshPublic)), [ada, ben], fresh))
  expect(rotated.root.signed.version).toBe(2)
  expect(onlineChanges(rotated, freshPublic)).toMatchObject({ error: { rule: 'change-changes-something' } })

  const changes = changesOf(custodianChanges(rotated, ada.publicKey, dan.publicKey))
  expect(published(rotated, changes, [ben, dan], fresh)).toMatchObject({ ok: false })
  const replaced = stateOf(published(rotated, changes, [ben, cas, dan], fresh))
  expect(replaced.root.signed.version).toBe(3)
  expect(custodianChanges(replaced, ada.publicKey, dan.publicKey)).toMatchObject({
    error: { rule: 'custodian-is-there' },
  })
})
