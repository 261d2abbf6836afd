import { createHash } from 'node:crypto'
import { migrate } from '@bascule/postgres/migrate.ts'
import type { MigrationFile } from '@bascule/postgres/migration-files.ts'
import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import type { TestDatabase } from '@bascule/testkit/test-database.ts'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { startTestServer } from '#/platform/test/test-server.ts'
import { readServerMigrations, readServerVersion } from './migrate.ts'
import { openDatabase } from './open-database.ts'

const log = pino({ level: 'silent' })

/** What the next server brings: it only adds, and says that this server can go on. */
const expanding = `-- needs server >= ${readServerVersion()}
alter table site add column opening_hours text;
alter table release add column risk text not null default 'normal';
create table shift (id bigint generated always as identity primary key, site_id uuid references site (id));
create index site_opening on site (opening_hours);
`

function fileOf(text: string, needsServer: string | undefined): MigrationFile {
  return { name: '9001_next.sql', text, sha256: createHash('sha256').update(text).digest('hex'), needsServer }
}

async function migrateByNewer(database: TestDatabase, file: MigrationFile): Promise<void> {
  await migrate(database.address, { files: [...readServerMigrations(), file], programVersion: '99.0.0' })
}

test('a server one version back starts and works on a schema that a newer one has expanded', async () => {
  await using database = await createTestDatabase()
  await migrateByNewer(database, fileOf(expanding, readServerVersion()))
  {
    await using opened = await openDatabase({ dataFolder: '', databaseUrl: database.connectionString, log })
    expect(await opened.db.selectFrom('site').select('id').execute()).toEqual([])
  }
  await using server = await startTestServer({ database })
  await server.listen()
  const ann = await server.signIn('Ann', { role: 'administrator' }, { role: 'release-manager' })
  const site = { code: 'leeds', name: 'Leeds', timeZone: 'Europe/London' }
  expect((await ann.ask('POST', '/estate/sites', site)).statusCode).toBe(201)
  expect((await ann.ask('GET', '/estate/sites')).json()).toMatchObject({ items: [{ code: 'leeds' }] })
  expect((await ann.ask('POST', '/estate/product-lines', { code: 'line', name: 'Line' })).statusCode).toBe(201)
  expect((await ann.ask('GET', '/releases')).statusCode).toBe(200)
  const ready = (await server.app.inject({ url: '/readyz' })).json<{ checks: { name: string; ok: boolean }[] }>()
  expect(ready.checks).toContainEqual(expect.objectContaining({ name: 'database', ok: true }))
})

test('a schema that needs the newer server keeps this one out with a sentence', async () => {
  await using database = await createTestDatabase()
  await migrateByNewer(database, fileOf('alter table site rename column name to title;', undefined))
  const opened = openDatabase({ dataFolder: '', databaseUrl: database.connectionString, log })
  await expect(opened).rejects.toMatchObject({
    code: 'program-too-old',
    message: expect.stringContaining('9001_next.sql') as string,
  })
})
