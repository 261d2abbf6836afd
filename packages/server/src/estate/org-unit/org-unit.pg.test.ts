import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { Caller, TestServer } from '#/platform/test/test-server.ts'

let server: TestServer
let admin: Caller

beforeAll(async () => {
  server = await startTestServer({ upTo: 2, features: [] })
  admin = await server.signIn('Ada', { role: 'administrator' })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

interface Unit {
  readonly id: string
  readonly code: string
  readonly path: string[]
  readonly parentId: string | null
}

async function add(code: string, parentId: string | null = null): Promise<Unit> {
  return (await admin.ask('POST', '/estate/org-units', { code, name: code.toUpperCase(), parentId })).json()
}

async function units(query = ''): Promise<Unit[]> {
  return (await admin.ask('GET', `/estate/org-units?limit=500${query}`)).json().items
}

const move = (unit: Unit, parentId: string | null) => admin.ask('PATCH', `/estate/org-units/${unit.id}`, { parentId })

test('a unit moves with everything below it, and never below itself', async () => {
  const [company, sales, inside] = await chain('company', 'sales', 'inside')
  const ops = await add('ops')
  expect((await move(sales, ops.id)).statusCode).toBe(200)
  const below = await units(`&below=${ops.id}`)
  expect(below.map(({ code, path }) => [code, path.length])).toEqual([
    ['inside', 3],
    ['ops', 1],
    ['sales', 2],
  ])
  expect((await move(ops, inside.id)).json()).toMatchObject({ data: { rule: 'no-circle' } })
  expect((await units(`&below=${company.id}`)).map(({ code }) => code)).toEqual(['company'])
})

async function chain(top: string, middle: string, bottom: string): Promise<[Unit, Unit, Unit]> {
  const a = await add(top)
  const b = await add(middle, a.id)
  return [a, b, await add(bottom, b.id)]
}

test('a unit with people or units in it is not retired', async () => {
  const [top, , bottom] = await chain('x1', 'x2', 'x3')
  expect((await admin.ask('POST', `/estate/org-units/${top.id}/retire`, {})).json()).toMatchObject({
    data: { rule: 'org-unit-in-use' },
  })
  const retired = await admin.ask('POST', `/estate/org-units/${bottom.id}/retire`, {})
  expect(retired.json()).toMatchObject({ state: 'retired' })
  expect((await add('x3')).code).toBe('x3')
})

test('a file may name children before their parents; a circle in it is refused with its lines', async () => {
  const send = (file: string) => admin.ask('POST', '/estate/org-units/import', file)
  expect((await send('code,name,parent\nc,C,b\nb,B,a\na,A,\n')).json()).toEqual({
    created: 3,
    updated: 0,
    unchanged: 0,
  })
  expect((await send('code,name,parent\nc,C,a\nb,B2,a\n')).json()).toEqual({ created: 0, updated: 2, unchanged: 0 })
  const circle = await send('code,name,parent\nnew,New,a\np,P,q\nq,Q,p\n')
  expect(circle.json().data.problems).toMatchObject([{ line: 3 }, { line: 4 }])
  expect((await send('code,name,parent\nnew,New,a\na,A,c\n')).json()).toMatchObject({ data: { rule: 'no-circle' } })
  expect((await units('&search=new')).length).toBe(0)
})

test('after any sequence of moves every path is the way from the root', async () => {
  const all: Unit[] = []
  for (const n of [0, 1, 2, 3, 4, 5]) all.push(await add(`m${n}`))
  const index = fc.nat({ max: 5 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(index, fc.option(index)), { maxLength: 12 }), async (moves) => {
      for (const [what, where] of moves) {
        const unit = all[what]
        if (unit) await move(unit, where === null ? null : (all[where]?.id ?? null))
      }
      const now = new Map((await units()).map((unit) => [unit.id, unit]))
      for (const unit of now.values()) {
        const parentPath = unit.parentId === null ? [] : now.get(unit.parentId)?.path
        expect(unit.path).toEqual([...(parentPath ?? ['parent is missing']), unit.id])
      }
    }),
    { numRuns: 15 },
  )
})
