import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Grant } from '@bascule/domain/estate/role.ts'
import type { OrgUnitId, PersonId, RoleGrantId, SiteId } from '@bascule/domain/lib/ids.ts'
import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import type { TestDatabase } from '@bascule/testkit/test-database.ts'
import type { LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import { features as allFeatures } from '#/features.ts'
import { readConfig } from '#/platform/config.ts'
import type { Environment } from '#/platform/config.ts'
import { connect } from '#/platform/db/connect.ts'
import type { Db } from '#/platform/db/database.ts'
import type { FeatureFactory } from '#/platform/feature.ts'
import { createSignInCode } from '#/platform/identity/one-time-code.service.ts'
import { system } from '#/platform/lib/actor.ts'
import { newId } from '#/platform/lib/id.ts'
import { prepareServer } from '#/platform/serve.ts'
import type { PreparedServer } from '#/platform/serve.ts'

export interface TestServer extends AsyncDisposable, Pick<PreparedServer, 'app' | 'services' | 'listen'> {
  readonly db: Db
  /** A person with these roles who is signed in: asks the API as that person. */
  signIn(name: string, ...grants: readonly Grant[]): Promise<Caller>
}

export interface Caller {
  readonly personId: PersonId
  readonly cookie: string
  ask(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<LightMyRequestResponse>
}

export interface TestServerOptions {
  readonly env?: Environment
  readonly features?: readonly FeatureFactory[]
  readonly now?: () => Temporal.Instant
  /** Only the migrations up to this number. */
  readonly upTo?: number
  /** A database that is there already; whoever made it disposes it. */
  readonly database?: TestDatabase
  /** Of a signer that runs; without it there is none. */
  readonly signerSocket?: string
}

/** A whole server on a database of its own, without a port until it is told to listen. Gone when the scope ends. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  await using held = new AsyncDisposableStack()
  const dataFolder = mkdtempSync(join(tmpdir(), 'server-'))
  held.defer(() => {
    rmSync(dataFolder, { recursive: true })
  })
  const database =
    options.database ?? held.use(await createTestDatabase(options.upTo === undefined ? {} : { upTo: options.upTo }))
  const handle = held.use(await connect({ connection: database.address, onLost: () => undefined }))
  const config = readConfig(['--data', dataFolder, '--port', '0'], options.env ?? {})
  if (!config.ok) throw new Error(config.error.join('\n'))
  const server = held.use(
    await prepareServer({
      config: config.value,
      database: handle,
      log: pino({ level: 'silent' }),
      features: options.features ?? allFeatures,
      signerSocket: options.signerSocket ?? join(dataFolder, 'signer.sock'),
      ...(options.now && { now: options.now }),
    }),
  )
  const all = held.move()
  const { app, services } = server
  return {
    app,
    services,
    db: handle.db,
    listen: () => server.listen(),
    signIn: async (name, ...grants) => await signIn(server, name, grants),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** As people come in with a link from an administrator. */
async function signIn({ app, services }: PreparedServer, name: string, grants: readonly Grant[]): Promise<Caller> {
  const { db } = services
  const now = services.now()
  const personId = newId<PersonId>()
  const email = `${name.toLowerCase()}-${personId.slice(-6)}@example.org`
  await db.insertInto('person').values({ id: personId, name, email, created_at: now }).execute()
  for (const { role, orgUnit, site } of grants) {
    const limits = { org_unit_id: (orgUnit ?? null) as OrgUnitId | null, site_id: (site ?? null) as SiteId | null }
    const grant = {
      id: newId<RoleGrantId>(),
      person_id: personId,
      role,
      ...limits,
      granted_at: now,
      granted_by: 'test',
    }
    await db.insertInto('role_grant').values(grant).execute()
  }
  const made = await createSignInCode(db, { actor: system, now }, personId)
  if (!made.ok) throw new Error('no sign-in code')
  const reply = await app.inject({ method: 'GET', url: `/api/auth/sign-in/link?code=${made.value.code}` })
  const cookie = reply.cookies.map((each) => `${each.name}=${encodeURIComponent(each.value)}`).join('; ')
  return {
    personId,
    cookie,
    ask: async (method, path, body) =>
      await app.inject({
        method,
        url: `/api${path}`,
        headers: {
          cookie,
          origin: 'http://localhost:80',
          ...(typeof body === 'string' && { 'content-type': 'text/csv' }),
        },
        ...(body !== undefined && { payload: body as object }),
      }),
  }
}
