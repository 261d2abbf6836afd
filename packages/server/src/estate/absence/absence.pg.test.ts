import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { Caller, TestServer } from '#/platform/test/test-server.ts'

let server: TestServer
let admin: Caller

beforeAll(async () => {
  server = await startTestServer({ upTo: 2, features: [] })
  admin = await server.signIn('Ada', { role: 'administrator' })
  await admin.ask('POST', '/estate/people/import', 'email,name\nann@example.org,Ann\nbob@example.org,Bob\n')
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

async function idOf(email: string): Promise<string> {
  return (await admin.ask('GET', `/estate/people?search=${email}`)).json().items[0].id
}

test('an absence is recorded with a deputy, moved and called off', async () => {
  const [personId, deputyId] = [await idOf('ann@'), await idOf('bob@')]
  const made = await admin.ask('POST', '/estate/absences', {
    personId,
    fromOn: '2026-12-01',
    untilOn: '2026-12-05',
    deputyId,
  })
  expect(made.json()).toMatchObject({ personName: 'Ann', deputyName: 'Bob', untilOn: '2026-12-05', version: 1 })
  const { id } = made.json()
  const change = (body: object) => admin.ask('PATCH', `/estate/absences/${id}`, body)
  expect((await change({ untilOn: '2026-12-08', deputyId: null })).json()).toMatchObject({
    fromOn: '2026-12-01',
    deputyName: null,
  })
  expect((await change({ untilOn: '2026-11-30' })).json()).toMatchObject({ data: { field: 'untilOn' } })
  expect((await change({ deputyId: personId })).json()).toMatchObject({ data: { field: 'deputyId' } })

  const away = async (from: string, until: string) =>
    (await admin.ask('GET', `/estate/absences?from=${from}&until=${until}`)).json().items.length
  expect([await away('2026-12-08', '2026-12-20'), await away('2026-12-09', '2026-12-20')]).toEqual([1, 0])
  expect((await admin.ask('POST', `/estate/absences/${id}/retire`, {})).json()).toMatchObject({ state: 'retired' })
  expect(await away('2026-12-01', '2026-12-20')).toBe(0)
})

test('days that run backwards or do not exist are refused with their field', async () => {
  const personId = await idOf('ann@')
  const send = (body: object) => admin.ask('POST', '/estate/absences', { personId, ...body })
  expect((await send({ fromOn: '2026-12-05', untilOn: '2026-12-01' })).json()).toMatchObject({
    data: { field: 'untilOn' },
  })
  expect((await send({ fromOn: '2026-02-30', untilOn: '2026-12-01' })).json()).toMatchObject({
    data: { field: 'fromOn' },
  })
})

test('a file that is imported twice records each absence once', async () => {
  const file =
    'email,from,until,deputy,note\nann@example.org,2027-01-04,2027-01-08,bob@example.org,skiing\nbob@example.org,2027-02-01,2027-02-01,,\n'
  const send = (text: string) => admin.ask('POST', '/estate/absences/import', text)
  expect((await send(file)).json()).toEqual({ created: 2, updated: 0, unchanged: 0 })
  expect((await send(file)).json()).toEqual({ created: 0, updated: 0, unchanged: 2 })
  expect((await send(file.replace('skiing', 'hiking'))).json()).toEqual({ created: 0, updated: 1, unchanged: 1 })
  const bad = await send(
    'email,from,until\nann@example.org,2027-03-02,2027-03-01\nnobody@example.org,2027-03-01,2027-03-01\n',
  )
  expect(bad.json().data.problems).toEqual([{ line: 2, field: 'until', problem: 'is before the first day' }])
  const unknown = await send('email,from,until\nnobody@example.org,2027-03-01,2027-03-01\n')
  expect(unknown.json().data).toMatchObject({ line: 2, field: 'email' })
})
