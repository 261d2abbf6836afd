import type { AuthorityView } from '@bascule/contract/decide/authority.ts'
import { createHash } from 'node:crypto'
import { signDocument } from '@bascule/trust/envelope.ts'
import { makeBoardDraft } from '@bascule/trust/tuf/board-draft.ts'
import { makeDraft, noVersion } from '@bascule/trust/tuf/draft.ts'
import { makeRootDraft } from '@bascule/trust/tuf/root-draft.ts'
import { expect, test } from 'vitest'
import type { DraftView } from '@bascule/contract/decide/signing.ts'
import { bodyOf, createDecideWorld } from '../testing/decide-world.ts'
import { testKey } from '../testing/given-board.ts'

const [ann, ben] = [testKey('ann'), testKey('ben')]

test('the signed files are there for everybody, with the times for which others may keep them', async () => {
  await using world = await createDecideWorld()
  const fetchFile = async (name: string, headers: Record<string, string> = {}) =>
    await world.server.app.inject({ method: 'GET', url: `/tuf/${name}`, headers })
  const root = await fetchFile('1.root.json')
  expect(root.statusCode).toBe(200)
  expect(root.headers['cache-control']).toBe('public, max-age=31536000, immutable')
  expect(root.json<{ signed: { _type: string } }>().signed._type).toBe('root')
  const timestamp = await fetchFile('timestamp.json')
  expect(timestamp.headers['cache-control']).toBe('public, max-age=0, s-maxage=60')
  const etag = String(timestamp.headers.etag)
  expect((await fetchFile('timestamp.json', { 'if-none-match': etag })).statusCode).toBe(304)
  for (const name of ['2.root.json', 'root.json', '..%2fstate.json', `${'x'.repeat(400)}.json`, '1.constructor.json']) {
    expect((await fetchFile(name)).statusCode).toBe(404)
  }
})

test('a file is there however long the code of its line is', async () => {
  const code = 'l'.repeat(60)
  await using world = await createDecideWorld({ productLines: [code] })
  expect((await world.server.app.inject(`/tuf/1.company.${code}.json`)).statusCode).toBe(200)
})

test('files of the version before stay for who is in the middle of asking for them', async () => {
  await using world = await createDecideWorld()
  const before = world.server.services.repository.timestampVersion
  await world.sign(await world.ask(await world.plan()), ann, ben)
  expect(world.server.services.repository.timestampVersion).toBe(before + 1)
  for (const name of ['1.snapshot.json', '2.snapshot.json', '1.company.sales-desk.json', '2.company.sales-desk.json']) {
    expect((await world.server.app.inject(`/tuf/${name}`)).statusCode).toBe(200)
  }
})

test('what the signer renews by itself is handed out without a word from anybody', async () => {
  await using world = await createDecideWorld()
  const { repository } = world.server.services
  const before = repository.timestampVersion
  world.clock.advance({ hours: 1 })
  expect(world.signer.repository.renew().ok).toBe(true)
  repository.keepFresh()
  await expect.poll(() => repository.timestampVersion).toBe(before + 1)
})

test('before the first ceremony nothing is published, and a ceremony with its quorum changes that', async () => {
  await using world = await createDecideWorld({ withBoard: false })
  const empty = await world.get<AuthorityView>('/decide/authority')
  expect(empty).toMatchObject({ isSetUp: false, root: null, roles: [], tasks: [], newestRootVersion: null })
  expect((await world.server.app.inject('/tuf/1.root.json')).statusCode).toBe(404)

  const at = world.clock.now()
  const only = (publicKey: string) => ({ publicKeys: [publicKey], threshold: 1 })
  const both = { publicKeys: [ann.publicKey, ben.publicKey], threshold: 2 }
  const { snapshot, timestamp, director } = empty.onlineKeys
  const decisions = {
    root: {
      kind: 'set-keys' as const,
      root: both,
      targets: both,
      snapshot: only(snapshot.keyval.public),
      timestamp: only(timestamp.keyval.public),
    },
    targets: { kind: 'set-roles' as const, roles: { director: only(director.keyval.public), company: both } },
    company: { kind: 'set-roles' as const, roles: { 'company.pos': both } },
  }
  const line = makeDraft(noVersion('company.pos'), { kind: 'renew' }, at)
  if (!line.ok) throw new Error(line.error.fact)
  const made = [
    { role: 'root', decision: decisions.root, signed: makeRootDraft(undefined, decisions.root, at) },
    {
      role: 'targets',
      decision: decisions.targets,
      signed: makeBoardDraft('targets', undefined, decisions.targets, at),
    },
    {
      role: 'company',
      decision: decisions.company,
      signed: makeBoardDraft('company', undefined, decisions.company, at),
    },
    { role: 'company.pos', decision: { kind: 'renew' }, signed: line.value },
  ]
  const documents = made.map(({ role, decision, signed }) => ({ role, decision, ...signDocument(signed, [ann]) }))
  const ceremony = { title: 'First ceremony', kind: 'ceremony', documents }
  const draft = bodyOf<DraftView>(await world.otto.ask('POST', '/decide/drafts', ceremony))
  const signatures = made.flatMap(({ role, signed }) =>
    signDocument(signed, [ben]).signatures.map((one) => ({ ...one, role })),
  )
  bodyOf(await world.otto.ask('POST', `/decide/drafts/${draft.id}/sign`, { signatures }))
  await world.settle()
  const after = await world.get<AuthorityView>('/decide/authority')
  expect(after).toMatchObject({ isSetUp: true, newestRootVersion: 1, snapshotVersion: 1 })
  const anchor = (await world.server.app.inject('/tuf/1.root.json')).body
  expect(after.root).toEqual({ version: 1, sha256: createHash('sha256').update(anchor).digest('hex'), text: anchor })
  expect(after.roles.map(({ role }) => role)).toEqual([
    'root',
    'targets',
    'company',
    'company.pos',
    'snapshot',
    'timestamp',
    'director',
  ])
})

test('an expiry that only people can move is a task thirty days before, and not earlier', async () => {
  await using world = await createDecideWorld()
  const tasks = async () => (await world.get<AuthorityView>('/decide/authority')).tasks
  expect(await tasks()).toEqual([])
  world.clock.advance({ hours: 24 * 150 - 1 })
  expect((await tasks()).map(({ role, isOverdue }) => [role, isOverdue])).toEqual([['company.emergency', true]])
  world.clock.advance({ hours: 2 })
  const due = await tasks()
  expect(due.map(({ role }) => role)).toEqual(['company.emergency', 'company.sales-desk', 'company.stop'])
  expect(due[1]?.text).toBe(
    'company.sales-desk ends on 2027-05-22. Until then 2 of 3 members have to sign it anew. After that no device installs anything of sales-desk; what is installed stays.',
  )
  world.clock.advance({ hours: 24 * 400 })
  expect((await tasks()).map(({ role }) => role)).toContain('root')
})

test('keys and signed metadata are not shown to who is only served by releases', async () => {
  await using world = await createDecideWorld()
  const owner = await world.server.signIn('Ole', { role: 'device-owner' })
  for (const path of [
    '/decide/authority',
    '/decide/boards',
    '/decide/cases',
    '/decide/drafts',
    '/decide/member-keys',
  ]) {
    expect((await owner.ask('GET', path)).statusCode).toBe(403)
  }
})
