import type { ServiceInput } from '@bascule/contract/estate/service.ts'
import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { expect, test } from 'vitest'
import { connect } from '#/platform/db/connect.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { listHistory, listItems } from '../configuration/configuration-lists.service.ts'
import {
  changeAudience,
  checkQuery,
  createAudience,
  listAudiences,
  retireAudience,
} from '../audience/saved-query.service.ts'
import { addDevices, addPlaces } from '../testing/fleet-of.ts'
import { changeService, createService, getService, listServices, retireService } from './service.service.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00Z')
const admin: Actor = {
  kind: 'person',
  id: 'p1',
  name: 'Mira',
  grants: [{ role: 'administrator' }, { role: 'release-manager' }],
}

async function setUp() {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const { db } = stack.use(await connect({ connection: database.address, poolSize: 3 }))
  await addPlaces(db)
  return { db, call: { db, actor: admin, now }, [Symbol.asyncDispose]: async () => await stack.disposeAsync() }
}

function aService(code: string, change: Partial<ServiceInput> = {}): ServiceInput {
  const hours = [{ days: [1, 2, 3, 4, 5], from: '08:00', until: '18:00' }]
  return {
    code,
    name: `Service ${code}`,
    purpose: '',
    criticality: 'high',
    ownerPersonId: null,
    orgUnitId: null,
    timeZone: 'Europe/London',
    hours,
    dependsOn: [],
    uses: [],
    ...change,
  }
}

function valueOf<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(JSON.stringify(answer.error))
  return answer.value
}

test('a service is an item of the CMDB with its dependencies, hours and history', async () => {
  await using scope = await setUp()
  valueOf(await createService(scope.call, aService('erp')))
  const till = valueOf(await createService(scope.call, aService('till', { dependsOn: ['erp'], uses: ['salesdesk'] })))
  expect(till).toMatchObject({ dependsOn: ['erp'], uses: ['salesdesk'], hours: [{ from: '08:00' }], state: 'active' })
  const { items } = await listServices(scope.db, { limit: 10 })
  expect(items.map(({ code, neededBy }) => ({ code, neededBy }))).toEqual([
    { code: 'erp', neededBy: ['till'] },
    { code: 'till', neededBy: [] },
  ])
  expect((await listItems(scope.call, { class: 'service', limit: 10 })).items).toHaveLength(2)
  valueOf(await changeService(scope.call, { serviceId: till.id, version: 1, criticality: 'critical', dependsOn: [] }))
  expect(valueOf(await getService(scope.db, till.id))).toMatchObject({
    criticality: 'critical',
    dependsOn: [],
    uses: ['salesdesk'],
    version: 2,
  })
  const history = await listHistory(scope.call, { limit: 10 })
  expect(history.items.map((item) => item.change)).toEqual(['changed', 'added', 'added'])
})

test('no service needs itself, not even over others, and a refusal undoes all of it', async () => {
  await using scope = await setUp()
  const erp = valueOf(await createService(scope.call, aService('erp')))
  valueOf(await createService(scope.call, aService('till', { dependsOn: ['erp'] })))
  expect(await changeService(scope.call, { serviceId: erp.id, name: 'Changed', dependsOn: ['till'] })).toMatchObject({
    error: { kind: 'bad-input', problems: [{ field: 'dependsOn' }] },
  })
  expect(valueOf(await getService(scope.db, erp.id))).toMatchObject({ name: 'Service erp', dependsOn: [], version: 1 })
  expect(await createService(scope.call, aService('shop', { dependsOn: ['nothing'] }))).toMatchObject({
    error: { kind: 'bad-input' },
  })
  expect((await listServices(scope.db, { limit: 10 })).items).toHaveLength(2)
})

test('a service that others need is not retired', async () => {
  await using scope = await setUp()
  const erp = valueOf(await createService(scope.call, aService('erp')))
  const till = valueOf(await createService(scope.call, aService('till', { dependsOn: ['erp'] })))
  expect(await retireService(scope.call, erp.id)).toMatchObject({
    error: { refusal: { rule: 'service-needed', fact: 'till needs this service.' } },
  })
  valueOf(await retireService(scope.call, till.id))
  expect(valueOf(await retireService(scope.call, erp.id)).state).toBe('retired')
})

test('a query is saved under a name, checked, changed and retired', async () => {
  await using scope = await setUp()
  await addDevices(scope.db, [{ name: 'a', roles: [], tags: [], facts: { os: 'linux' } }])
  expect(await createAudience(scope.call, { name: 'Bad', query: 'os:' })).toMatchObject({
    error: { kind: 'bad-input', problems: [{ field: 'query' }] },
  })
  const saved = valueOf(await createAudience(scope.call, { name: 'Linux', query: 'os:linux' }))
  expect(await createAudience(scope.call, { name: 'LINUX', query: '' })).toMatchObject({
    error: { refusal: { rule: 'already-there' } },
  })
  expect(valueOf(await changeAudience(scope.call, { audienceId: saved.id, query: 'os:linux role:till' })).version).toBe(
    2,
  )
  expect(valueOf(await checkQuery(scope.db, 'os = linux'))).toMatchObject({ problem: { at: 4 } })
  expect(valueOf(await checkQuery(scope.db, 'os=Linux'))).toEqual({ problem: null, formatted: 'os:Linux', devices: 1 })
  valueOf(await retireAudience(scope.call, saved.id))
  expect((await listAudiences(scope.db, { limit: 10 })).items).toEqual([])
})
