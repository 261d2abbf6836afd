import { isPermission } from '@bascule/domain/estate/permission.ts'
import { expect, test } from 'vitest'
import { api } from './api.ts'
import { walkProcedures } from './lib/walk.ts'

/** What answers somebody who is not signed in. Every line here is a door without a lock. */
const publicProcedures = ['platform.welcome.claim']

const procedures = walkProcedures(api).map(({ name, meta, route }) => ({ name, permission: meta.permission, route }))

test('every procedure names the permission it needs, and the domain knows it', () => {
  expect(procedures.length).toBeGreaterThan(20)
  for (const { name, permission } of procedures) {
    expect(permission, `${name} has no permission`).toBeDefined()
    expect(permission === 'public' || isPermission(String(permission)), `${name}: ${String(permission)}`).toBe(true)
  }
})

test('only these procedures answer without sign-in', () => {
  expect(procedures.filter(({ permission }) => permission === 'public').map(({ name }) => name)).toEqual(
    publicProcedures,
  )
})

test('every procedure has a path of its own and says in a sentence what it does', () => {
  const routes = procedures.map(({ route }) => `${route.method} ${route.path}`)
  expect(new Set(routes).size).toBe(routes.length)
  for (const { name, route } of procedures) expect(route.summary, name).toMatch(/^[A-Z]/)
})

test('what only reads is a GET, and what writes is not', () => {
  const writingGets = procedures.filter(
    ({ permission, route }) => route.method === 'GET' && !String(permission).endsWith('.read'),
  )
  expect(writingGets).toEqual([])
})
