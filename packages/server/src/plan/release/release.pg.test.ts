import { setTimeout } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { addDevices, addLibrary } from '#/deliver/testing/delivery-world.ts'
import { startSignedServer } from '#/deliver/testing/signed-server.ts'
import { addPlaces, siteIdOf } from '#/estate/testing/fleet-of.ts'
import type { Db } from '#/platform/db/database.ts'
import { startTestServer } from '#/platform/test/test-server.ts'

test('a query that is half typed is a bad input of the preview, at its place, and no mistake of ours', async () => {
  await using server = await startTestServer()
  const ann = await server.signIn('Ann', { role: 'release-manager' })
  const body = { audience: { query: 'os:linux' }, phases: [{ name: 'Pilot', query: 'why not' }] }
  const reply = await ann.ask('POST', '/releases/preview', body)
  expect(reply.json()).toMatchObject({ code: 'BAD_INPUT', data: { field: 'phases.0.query' } })
  const whole = { ...body, phases: [{ name: 'Pilot', query: '' }] }
  expect((await ann.ask('POST', '/releases/preview', whole)).json()).toMatchObject({ audience: 0, unplaced: 0 })
})

test('whoever asks the fleet by a query is refused when the answer takes too long, and nothing is written', async () => {
  await using server = await startSignedServer()
  const ann = await server.signIn('Ann', { role: 'release-manager' }, { role: 'configuration-manager' })
  await addDevices(server.db, 1, false)
  await addLibrary(server.db)
  const plan = {
    title: 'Sales Desk',
    version: '2.0.0',
    productLine: 'sales-desk',
    packages: [{ name: 'salesdesk', version: '2.0.0' }],
    audience: { query: 'os:linux' },
    phases: [{ name: 'Pilot', query: '' }],
  }
  const { releaseId: id } = (await ann.ask('POST', '/releases', plan)).json<{ releaseId: string }>()
  await using held = await holdDevices(server.db)
  const asked = [
    ann.ask('POST', '/releases/preview', plan),
    ann.ask('POST', `/releases/${id}/ask-board`, {}),
    ann.ask('GET', '/estate/audiences/check?query=os%3Alinux'),
    ann.ask('POST', '/devices/assign', { devices: { query: '', except: [] }, change: { tags: ['x'] } }),
    ann.ask('POST', '/estate/configuration/baselines', { label: 'Now', query: 'os:linux' }),
  ]
  const answers = await held.cancelUntil(Promise.all(asked))
  expect(answers.map((reply) => reply.json<{ data?: { rule?: string } }>().data?.rule)).toEqual(
    asked.map(() => 'question-takes-too-long'),
  )
  expect(answers.map((reply) => reply.statusCode)).toEqual(asked.map(() => 409))
  expect(await server.db.selectFrom('baseline').select('id').execute()).toEqual([])
})

test('whoever manages releases at one site plans, changes and cancels none that may reach devices elsewhere', async () => {
  await using server = await startTestServer()
  await addPlaces(server.db)
  await addLibrary(server.db)
  const ann = await server.signIn('Ann', { role: 'release-manager' })
  const scoped = await server.signIn('Sue', { role: 'release-manager', site: siteIdOf('leeds') })
  const plan = {
    title: 'Sales Desk',
    version: '2.0.0',
    productLine: 'sales-desk',
    packages: [{ name: 'salesdesk', version: '2.0.0' }],
    audience: { query: 'site:leeds' },
    phases: [{ name: 'Pilot', query: '' }],
  }
  const { releaseId } = (await ann.ask('POST', '/releases', plan)).json<{ releaseId: string }>()
  for (const [method, path, body] of [
    ['POST', '/releases', plan],
    ['PUT', `/releases/${releaseId}`, plan],
    ['POST', `/releases/${releaseId}/cancel`, { reason: 'not here' }],
  ] as const) {
    const denied = await scoped.ask(method, path, body)
    expect([denied.statusCode, denied.json()], path).toMatchObject([403, { data: { permission: 'release.write' } }])
  }
  expect((await ann.ask('POST', `/releases/${releaseId}/cancel`, { reason: 'not now' })).statusCode).toBe(200)
})

/** Nobody else can read devices while this lasts. `cancelUntil` ends the waiting as the limit of a statement does. */
async function holdDevices(db: Db) {
  const locked = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const holding = db.transaction().execute(async (tx) => {
    await sql`lock table device in access exclusive mode`.execute(tx)
    locked.resolve()
    await release.promise
  })
  await locked.promise
  return {
    async cancelUntil<T>(answers: Promise<T>): Promise<T> {
      const over = new AbortController()
      const cancelling = (async () => {
        while (!over.signal.aborted) {
          await sql`select pg_cancel_backend(pid) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and state = 'active'`.execute(db)
          await setTimeout(10)
        }
      })()
      try {
        return await answers
      } finally {
        over.abort()
        await cancelling
      }
    },
    async [Symbol.asyncDispose]() {
      release.resolve()
      await holding
    },
  }
}
