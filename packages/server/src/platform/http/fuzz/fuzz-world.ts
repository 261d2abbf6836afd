import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { roles } from '@bascule/domain/estate/role.ts'
import type { Role } from '@bascule/domain/estate/role.ts'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { sql } from 'kysely'
import { boardsOf } from '#/deliver/testing/boards.ts'
import { addDevices, aRollout, deviceKey } from '#/deliver/testing/delivery-world.ts'
import { addPlaces } from '#/estate/testing/fleet-of.ts'
import type { Db } from '#/platform/db/database.ts'
import { startSigner } from '#/platform/run-signer.ts'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { TestServer } from '#/platform/test/test-server.ts'
import { knownMark } from './hostile-input.ts'
import type { Json } from './hostile-input.ts'

export interface FuzzWorld extends AsyncDisposable {
  readonly server: TestServer
  /** Headers of a person who may do everything. */
  readonly headers: Readonly<Record<string, string>>
  /** Sends it, and throws when the answer is not one that the documentation allows or when a refusal left something behind. */
  send(
    what: string,
    request: InjectOptions,
    hasGoodError: (reply: LightMyRequestResponse) => boolean,
    /** Count rows only after so many refusals in a row. */
    together?: number,
  ): Promise<void>
  /** Real ids, codes and names in the place of the marks. */
  resolve(value: Json): Json
  readonly answered: Map<number, number>
}

const answerWithinMs = 15_000

/** A whole server with devices, a release that rolls out and a signer, and somebody who holds every role. */
export async function createFuzzWorld(): Promise<FuzzWorld> {
  await using held = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
  held.defer(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const signer = held.use(await startSigner({ dataFolder: folder, log: () => undefined }))
  const server = held.use(await startTestServer({ signerSocket: signer.socketPath }))
  const caller = await server.signIn('Fay', ...(Object.keys(roles) as Role[]).map((role) => ({ role })))
  await addPlaces(server.db)
  await addDevices(server.db, 5)
  await server.services.fleet.refresh([1, 2, 3, 4, 5].map((index) => deviceKey(index).keyId))
  const actor = { kind: 'person', id: caller.personId, name: 'Fay', grants: [{ role: 'release-manager' }] } as const
  const call = { db: server.db, actor, now: server.services.now() }
  await aRollout({ db: server.db, call, blobs: server.services.blobs, boards: await boardsOf(server.services) }, [
    {},
    {},
  ])
  await makeSpecsReadable(server.db)
  const known = await knownTexts(server.db)
  const refusals = watchRefusals(await rowCounter(server.db))
  const answered = new Map<number, number>()
  const all = held.move()
  return {
    server,
    headers: { cookie: caller.cookie, origin: 'http://localhost:80' },
    answered,
    resolve: (value) => resolveMarks(value, known),
    async send(what, request, hasGoodError, together = 1) {
      await refusals.prepare()
      const reply = await inTime(server.app.inject(request), what)
      answered.set(reply.statusCode, (answered.get(reply.statusCode) ?? 0) + 1)
      if (reply.statusCode >= 500) throw new Error(`${what}: ${reply.statusCode} ${reply.body.slice(0, 300)}`)
      if (reply.statusCode >= 400 && !hasGoodError(reply)) {
        throw new Error(`${what}: ${reply.statusCode} has the body ${reply.body.slice(0, 300)}`)
      }
      await refusals.take(what, reply.statusCode >= 400, together)
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** Counting takes longer than a refusal, so rows may be counted once for several of them that came one after the other. */
function watchRefusals(countRows: () => Promise<string>) {
  let before: string | undefined
  let refused: string[] = []
  return {
    async prepare(): Promise<void> {
      before ??= await countRows()
    },
    async take(what: string, isRefused: boolean, together: number): Promise<void> {
      refused = isRefused ? [...refused, what] : []
      // What is taken may change rows; refusals just before it are no longer told apart from it.
      if (!isRefused) before = undefined
      if (refused.length < together) return
      const after = await countRows()
      if (after !== before) {
        throw new Error(`this was refused, but rows changed:\n${refused.join('\n')}\n${before}\n${after}`)
      }
      refused = []
    },
  }
}

async function inTime<T>(reply: PromiseLike<T>, what: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error(`${what}: no answer within ${answerWithinMs} ms`))
  }, answerWithinMs)
  try {
    return await Promise.race([reply, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** The package of the delivery world has no content; the library shows what a version says of itself. */
async function makeSpecsReadable(db: Db): Promise<void> {
  await sql`delete from package_version`.execute(db)
}

type Known = ReadonlyMap<string, readonly string[]>

/** Ids, codes and names that exist, by the fields that carry them, so that inputs get behind the first check. */
async function knownTexts(db: Db): Promise<Known> {
  const { rows } = await sql<{ field: string; text: string }>`
    select 'siteId' as field, id::text as text from site union all select 'site', code from site
    union all select 'orgUnitId', id::text from org_unit union all select 'orgUnit', code from org_unit
    union all select 'personId', id::text from person union all select 'productLineId', id::text from product_line
    union all select 'productLine', code from product_line union all select 'packageId', id::text from package
    union all select 'releaseId', id from release union all select 'deviceId', key_id from device
    union all select 'devices', key_id from device union all select 'device', key_id from device
    union all select 'name', name from device union all select 'job', id::text from job
    union all select 'packages', 'salesdesk' union all select 'version', '2.0.0'`.execute(db)
  const texts = Map.groupBy(rows, ({ field }) => field)
  return new Map([['', rows.map(({ text }) => text)], ...[...texts].map(textsOf)])
}

function textsOf([field, rows]: [string, readonly { readonly text: string }[]]): [string, string[]] {
  return [field, rows.map(({ text }) => text)]
}

function resolveMarks(value: Json, known: Known): Json {
  if (typeof value === 'string') return value.startsWith(knownMark) ? pick(known, value) : value
  if (Array.isArray(value)) return value.map((each: Json) => resolveMarks(each, known))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolveMarks(inner, known)]))
}

function pick(known: Known, mark: string): string {
  const [field = '', at] = mark.slice(knownMark.length).split(':')
  const texts = known.get(field) ?? known.get('') ?? []
  return texts[Number(at) % texts.length] ?? ''
}

/** Written by time and by every call of a session, not by the request itself. */
const notCounted = /^(?:public\.(?:ledger_seal|ledger_unsealed|timer)|auth\..*)$/

/** Counts every table in one statement; the ledger among them has a line for every change of a row. */
async function rowCounter(db: Db): Promise<() => Promise<string>> {
  const { rows } = await sql<{ name: string }>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema') order by 1`.execute(db)
  const names = rows.map(({ name }) => name).filter((name) => !notCounted.test(name))
  const counts = names.map((name) => sql`select ${sql.lit(name)} as name, count(*) as n from ${sql.raw(name)}`)
  const statement = sql<{ all: string }>`
    select string_agg(name || ' ' || n, ', ' order by name) as all from (${sql.join(counts, sql` union all `)}) c`
  return async () => (await statement.execute(db)).rows[0]?.all ?? ''
}
