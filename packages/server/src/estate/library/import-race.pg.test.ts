import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { openDiskBlobStore } from '@bascule/content/blobs/disk-blob-store.ts'
import { writeLayoutTar } from '@bascule/content/oci/layout-tar.ts'
import { parseLayoutIndex } from '@bascule/content/oci/layout.ts'
import { packFolder } from '@bascule/content/oci/pack-folder.ts'
import { temporaryFolder, toolFiles, writeFiles } from '@bascule/testkit/content/package-folder.ts'
import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { connect } from '#/platform/db/connect.ts'
import type { Db } from '#/platform/db/database.ts'
import { system } from '#/platform/lib/actor.ts'
import { importTar } from './import-tar.ts'
import { lockLibrary } from './library.store.ts'
import { registerVersion } from './register-version.ts'

const at = Temporal.Instant.from('2026-11-23T08:00:00Z')

async function aLibrary() {
  await using held = new AsyncDisposableStack()
  const folder = held.use(await temporaryFolder())
  await writeFiles(folder.path, toolFiles)
  const layout = join(folder.path, 'layout')
  const packed = await packFolder(folder.path, layout)
  if (!packed.ok) throw new Error(JSON.stringify(packed.error))
  const tar = join(folder.path, 'tool.tar')
  await writeLayoutTar(layout, tar)
  const database = held.use(await createTestDatabase())
  const { db } = held.use(await connect({ connection: database.address }))
  const blobs = openDiskBlobStore(join(folder.path, 'blobs'))
  const count = (await readdir(join(layout, 'blobs', 'sha256'))).length
  const all = held.move()
  return {
    services: { db, blobs },
    hasCome: async () => await until(async () => (await Array.fromAsync(blobs.list())).length === count),
    tar: await readFile(tar),
    layoutIndex: await readFile(join(layout, 'index.json'), 'utf8'),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** A sender that stops shortly before the end of the archive, when all blobs have come, until it is told how it goes on. */
function aSender(tar: Uint8Array) {
  const stopped = Promise.withResolvers<void>()
  const goesOn = Promise.withResolvers<void>()
  async function* send(): AsyncGenerator<Uint8Array> {
    yield tar.subarray(0, -512)
    stopped.resolve()
    await goesOn.promise
    yield tar.subarray(-512)
  }
  return { bytes: send(), hasStopped: stopped.promise, goOn: goesOn.resolve, fail: goesOn.reject }
}

test('an import that fails takes nothing away from another that brings the same', async () => {
  await using library = await aLibrary()
  const { services, tar } = library
  const [first, second] = [aSender(tar), aSender(tar)]
  const failing = importTar(services, system, at, first.bytes)
  const outcome = failing.catch((cause: unknown) => cause)
  await first.hasStopped
  await library.hasCome()
  const whole = importTar(services, system, at, second.bytes)
  await second.hasStopped
  first.fail(new Error('The sender went away'))
  expect(await outcome).toMatchObject({ message: 'The sender went away' })
  second.goOn()
  expect(await whole).toMatchObject({ ok: true, value: { name: 'tool' } })
  const used = await services.db.selectFrom('blob').select('digest').execute()
  expect(used.length).toBeGreaterThan(2)
  for (const { digest } of used) expect(await services.blobs.stat(digest)).toBeDefined()
})

test('no version is made of a blob that is deleted while it is registered', async () => {
  await using library = await aLibrary()
  const { services, tar, layoutIndex } = library
  const named = parseLayoutIndex(layoutIndex)
  if (!named.ok) throw new Error('The layout names no index')
  const sender = aSender(tar)
  const failing = importTar(services, system, at, sender.bytes)
  const outcome = failing.catch((cause: unknown) => cause)
  await sender.hasStopped
  await library.hasCome()
  const index = await services.blobs.open(named.value.digest)
  if (index === undefined) throw new Error('The index has not come')
  const bytes = await buffer(index)
  const forgetting = Promise.withResolvers<void>()
  const holding = services.db.transaction().execute(async (tx) => {
    await lockLibrary(tx, 'to-delete')
    await forgetting.promise
  })
  const registering = registerVersion(services, system, at, bytes)
  await waitsForLock(services.db)
  const blobs = await Array.fromAsync(services.blobs.list())
  await services.blobs.delete(blobs.find(({ digest }) => digest !== named.value.digest)?.digest ?? '')
  forgetting.resolve()
  await holding
  expect(await registering).toMatchObject({ ok: false, error: { problems: [{ rule: 'missing-blob' }] } })
  expect(await services.db.selectFrom('package_version').select('id').execute()).toEqual([])
  sender.fail(new Error('The sender went away'))
  expect(await outcome).toMatchObject({ message: 'The sender went away' })
  expect(await Array.fromAsync(services.blobs.list())).toEqual([])
})

async function waitsForLock(db: Db): Promise<void> {
  await until(async () => {
    const { rows } = await sql`select 1 from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`.execute(db)
    return rows.length > 0
  })
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await setTimeout(5)
}
