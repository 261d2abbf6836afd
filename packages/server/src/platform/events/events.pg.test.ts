import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { record } from '#/platform/ledger/record.ts'
import { system } from '#/platform/lib/actor.ts'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { Caller, TestServer } from '#/platform/test/test-server.ts'
import { coalesce } from './publish.ts'

async function aListeningServer(): Promise<{ server: TestServer; url: string }> {
  const server = await startTestServer({ upTo: 2, features: [] })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return { server, url: await server.listen() }
}

/** Reads the stream of a caller, event by event, until the test is over. */
async function listenAs(caller: Caller, url: string, headers: Record<string, string> = {}) {
  const leaving = new AbortController()
  onTestFinished(() => {
    leaving.abort()
  })
  const response = await fetch(`${url}/api/events`, {
    headers: { cookie: caller.cookie, ...headers },
    signal: leaving.signal,
  })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const events = parseStream(response)
  /** What comes up to the event about this thing, in order; the events of signing in come before. */
  const upTo = async (id: string) => {
    const heard: { event: string; data: unknown }[] = []
    for (;;) {
      const { value, done } = await events.next()
      if (done === true) throw new Error('the stream ended')
      heard.push(value)
      if (value.event === id || (value.data as { id?: string }).id === id) return heard
    }
  }
  const end = async () => {
    for await (const _heard of events) continue
  }
  return { upTo, end, response }
}

async function* parseStream(response: Response): AsyncGenerator<{ event: string; data: unknown }> {
  let text = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      if (block.startsWith(':')) yield { event: 'beat', data: {} }
      const event = /^event: (.+)$/m.exec(block)?.[1]
      if (event !== undefined) yield { event, data: JSON.parse(/^data: (.+)$/m.exec(block)?.[1] ?? 'null') }
    }
  }
}

async function tell({ db, services }: TestServer, kind: string, ...ids: string[]): Promise<void> {
  const facts = ids.map((id) => ({ actor: system, at: services.now(), did: `${kind}.changed`, subject: { kind, id } }))
  await db.transaction().execute(async (tx) => {
    await record(tx, ...facts)
  })
}

test('a browser hears of a change once it is committed, and only of what its person may read', async () => {
  const { server, url } = await aListeningServer()
  const admin = await listenAs(await server.signIn('Ada', { role: 'administrator' }), url)
  const owner = await listenAs(await server.signIn('Otto', { role: 'device-owner' }), url)
  expect([await admin.upTo('hello'), await owner.upTo('hello')]).toMatchObject([
    [{ event: 'hello' }],
    [{ event: 'hello' }],
  ])

  const undone = server.db.transaction().execute(async (tx) => {
    await record(tx, {
      actor: system,
      at: server.services.now(),
      did: 'site.changed',
      subject: { kind: 'site', id: 'undone' },
    })
    throw new Error('undone')
  })
  await expect(undone).rejects.toThrow('undone')
  await tell(server, 'person', 'p1')
  await tell(server, 'site', 's1')
  const toAdmin = await admin.upTo('s1')
  expect(toAdmin.map(({ data }) => data)).toContainEqual({ entity: 'person', id: 'p1', version: expect.any(String) })
  expect(toAdmin.map(({ data }) => (data as { id: string }).id)).not.toContain('undone')
  const toOwner = await owner.upTo('s1')
  expect(toOwner.map(({ data }) => (data as { entity: string }).entity)).not.toContain('person')
})

test.each(['role-grant', 'enrolment-token', 'package-version', 'baseline', 'phase', 'rollout-progress'])(
  'a browser hears of a change of a %s, which is shown together with another kind',
  async (kind) => {
    const { server, url } = await aListeningServer()
    const admin = await listenAs(await server.signIn('Ada', { role: 'administrator' }), url)
    await admin.upTo('hello')
    await tell(server, kind, 'k1')
    await tell(server, 'site', 's1')
    const heard = await admin.upTo('s1')
    expect(heard.map(({ data }) => data)).toContainEqual({ entity: kind, id: 'k1', version: expect.any(String) })
  },
)

test('a browser that comes back is told to look at everything anew', async () => {
  const { server, url } = await aListeningServer()
  const { upTo } = await listenAs(await server.signIn('Ada', { role: 'administrator' }), url, { 'last-event-id': '17' })
  expect(await upTo('missed')).toMatchObject([{ event: 'hello' }, { event: 'missed' }])
})

test('a lost connection to the database is made again, and nobody is left with old pictures', async () => {
  const { server, url } = await aListeningServer()
  const { upTo } = await listenAs(await server.signIn('Ada', { role: 'administrator' }), url)
  await upTo('hello')
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'bascule-events'`.execute(server.db)
  await upTo('missed')
  await tell(server, 'site', 's1')
  expect((await upTo('s1')).at(-1)).toMatchObject({ event: 'change', data: { entity: 'site' } })
})

test('nobody hears anything without sign-in', async () => {
  const { url } = await aListeningServer()
  const reply = await fetch(`${url}/api/events`)
  expect(reply.status).toBe(401)
})

test('the stream carries the headers of every other answer, and nobody opens more than twenty', async () => {
  const { server, url } = await aListeningServer()
  const ada = await server.signIn('Ada', { role: 'administrator' })
  const first = await listenAs(ada, url)
  expect(Object.fromEntries(first.response.headers)).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  })
  for (let more = 1; more < 20; more += 1) await listenAs(ada, url)
  const refused = await fetch(`${url}/api/events`, { headers: { cookie: ada.cookie } })
  expect([refused.status, await refused.json()]).toMatchObject([429, { code: 'TOO_MANY_STREAMS' }])
  await listenAs(await server.signIn('Bob', { role: 'administrator' }), url)
})

test('signing out, a new password and the end of a role end or narrow a stream at once', async () => {
  const { server, url } = await aListeningServer()
  const [ada, bob, cara] = [
    await server.signIn('Ada', { role: 'administrator' }),
    await server.signIn('Bob', { role: 'administrator' }),
    await server.signIn('Cara', { role: 'administrator' }),
  ]
  const [toAda, toBob, toCara] = [await listenAs(ada, url), await listenAs(bob, url), await listenAs(cara, url)]
  await ada.ask('POST', '/auth/sign-out', {})
  await toAda.end()
  await server.db.deleteFrom('auth_session').where('userId', '=', bob.personId).execute()
  await tell(server, 'person', bob.personId)
  await toBob.end()
  await server.db
    .updateTable('role_grant')
    .set({ role: 'device-owner' })
    .where('person_id', '=', cara.personId)
    .execute()
  await tell(server, 'role-grant', 'g1')
  await toCara.upTo('beat')
  await tell(server, 'person', 'p1')
  await tell(server, 'site', 's1')
  const heard = await toCara.upTo('s1')
  expect(heard.map(({ data }) => (data as { entity?: string }).entity)).not.toContain('person')
})

test('a thousand changes of one transaction are one message, not a thousand', async () => {
  const { server, url } = await aListeningServer()
  const { upTo } = await listenAs(await server.signIn('Ada', { role: 'administrator' }), url)
  await upTo('hello')
  await tell(server, 'site', ...Array.from({ length: 1000 }, (_, n) => `s${n}`))
  await upTo('*')
  await tell(server, 'site', 'after')
  const after = await upTo('after')
  expect(after.filter(({ data }) => (data as { entity: string }).entity === 'site')).toHaveLength(1)
})

test('of several changes of one thing the newest remains', () => {
  const change = (version: string) => ({ entity: 'site', id: 's1', version })
  expect(coalesce([change('9'), change('10'), change('8')])).toEqual([change('10')])
})
