import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import * as fc from 'fast-check'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '#/platform/db/connect.ts'
import type { Db } from '#/platform/db/database.ts'
import { merkleRoot } from './merkle.ts'
import { record } from './record.ts'
import { sealLedger } from './seal.ts'
import { verifyLedger } from './verify-ledger.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00.123456Z')
const ann = { kind: 'person', id: 'p1', name: 'Ann' } as const

async function aLedger(facts: number): Promise<Db> {
  const database = await createTestDatabase({ upTo: 2 })
  const handle = await connect({ connection: database.address })
  onTestFinished(async () => {
    await handle[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  })
  for (let n = 0; n < facts; n += 1) await tell(handle.db, `s${n}`)
  return handle.db
}

async function tell(db: Db, id: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await record(tx, {
      actor: ann,
      at: now,
      did: 'site.changed',
      subject: { kind: 'site', id },
      before: { n: 1 },
      after: { n: 2 },
    })
  })
}

/** As an intruder with the rights of the owner would: the guard off, the deed, the guard on again. */
async function tamper(db: Db, deed: string): Promise<void> {
  for (const table of ['ledger', 'ledger_seal']) await sql.raw(`alter table ${table} disable trigger user`).execute(db)
  await sql.raw(deed).execute(db)
  for (const table of ['ledger', 'ledger_seal']) await sql.raw(`alter table ${table} enable trigger user`).execute(db)
}

test('a sealed ledger is intact, and what came after the last seal waits for the next', async () => {
  const db = await aLedger(3)
  expect(await sealLedger(db, now)).toBe(3)
  await tell(db, 'late')
  expect(await verifyLedger(db)).toMatchObject({ intact: true, seals: 1, facts: 3, unsealed: 1, problems: [] })
  expect(await sealLedger(db, now)).toBe(1)
  expect(await sealLedger(db, now)).toBe(0)
  expect(await verifyLedger(db)).toMatchObject({ intact: true, seals: 2, facts: 4, unsealed: 0 })
})

test('nobody updates, deletes or empties the ledger', async () => {
  const db = await aLedger(1)
  await sealLedger(db, now)
  for (const deed of [
    `update ledger set actor_name = 'Bob'`,
    'delete from ledger',
    'truncate ledger cascade',
    'delete from ledger_seal',
  ]) {
    await expect(sql.raw(deed).execute(db), deed).rejects.toThrow('append-only')
  }
})

test.each([
  ['a changed fact', `update ledger set after = '{"n": 3}' where id = 2`, 'fact 2 was changed'],
  ['a changed name', `update ledger set actor_name = 'Bob' where id = 3`, 'fact 3 was changed'],
  ['a changed time', `update ledger set at = at + interval '1 microsecond' where id = 1`, 'fact 1 was changed'],
  ['a deleted fact', 'delete from ledger where id = 2', 'fact 2 is missing'],
  ['a removed seal', 'delete from ledger_seal where id = 1', 'does not continue the seal before it'],
  ['a forged root', `update ledger_seal set root = sha256('x') where id = 1`, 'the seal itself was changed'],
  ['a fact slipped past the seals', 'delete from ledger_unsealed', 'neither sealed nor waiting'],
])('%s is found', async (_, deed, problem) => {
  const db = await aLedger(3)
  await sealLedger(db, now)
  await tell(db, 'second seal')
  await sealLedger(db, now)
  await tell(db, 'unsealed')
  await tamper(db, deed)
  const report = await verifyLedger(db)
  expect(report.intact).toBe(false)
  expect(report.problems.map((each) => each.problem).join('\n')).toContain(problem)
})

test('facts that commit out of order are all sealed, whatever their numbers are', async () => {
  const db = await aLedger(0)
  const slow = await db.startTransaction().execute()
  await record(slow, { actor: ann, at: now, did: 'site.changed', subject: { kind: 'site', id: 'slow' } })
  await tell(db, 'fast')
  expect(await sealLedger(db, now)).toBe(1)
  await slow.commit().execute()
  expect(await sealLedger(db, now)).toBe(1)
  expect(await verifyLedger(db)).toMatchObject({ intact: true, facts: 2, unsealed: 0 })
})

test('two sealers at once seal each fact once', async () => {
  const db = await aLedger(20)
  const sealed = await Promise.all([sealLedger(db, now), sealLedger(db, now), sealLedger(db, now)])
  expect(sealed.reduce((sum, n) => sum + n, 0)).toBe(20)
  expect(await verifyLedger(db)).toMatchObject({ intact: true, facts: 20 })
})

test('without commit there is no fact', async () => {
  const db = await aLedger(0)
  const failing = db.transaction().execute(async (tx) => {
    await record(tx, { actor: ann, at: now, did: 'site.changed', subject: { kind: 'site', id: 'x' } })
    throw new Error('changed my mind')
  })
  await expect(failing).rejects.toThrow('changed my mind')
  expect(await verifyLedger(db)).toMatchObject({ facts: 0, unsealed: 0 })
})

test('any change of any leaf, or of their order, changes the root', () => {
  const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(
      fc.uniqueArray(leaf, { minLength: 2, maxLength: 40, selector: (b) => b.toString('hex') }),
      fc.nat(),
      (leaves, at) => {
        const root = merkleRoot(leaves)
        const [first, second] = [at % leaves.length, (at + 1) % leaves.length]
        expect(merkleRoot(leaves.with(first, Buffer.alloc(32, 7)))).not.toEqual(root)
        const swapped = leaves
          .with(first, leaves[second] ?? Buffer.alloc(0))
          .with(second, leaves[first] ?? Buffer.alloc(0))
        expect(merkleRoot(swapped)).not.toEqual(root)
        expect(merkleRoot(leaves.slice(1))).not.toEqual(root)
      },
    ),
  )
})
