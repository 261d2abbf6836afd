import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import path from 'node:path'
import { devicePaths } from '@bascule/contract/device/protocol.ts'
import { signAssignment } from '@bascule/trust/assignment.ts'
import { forgeInto, keyOf, members, otherMembers, publishInto } from '@bascule/trust/testing/world.ts'
import { beforeAll, expect, test } from 'vitest'
import { versionOnDisk } from './crash/examine.ts'
import { openJournal, readJournal } from './journal/journal.ts'
import {
  aFolder,
  anAgent,
  aRelay,
  aServer,
  aServerWith,
  buildAgent,
  endOf,
  refusedWaitOf,
  statusOf,
  stuckOf,
} from './testing/harness.ts'
import {
  director,
  foundBoard,
  goDocument,
  instantNow,
  lineRole,
  nowIn,
  publishDirector,
  publishGo,
  publishStop,
  publishWithdrawal,
} from './testing/test-board.ts'
import { customOf, makeRelease } from './testing/test-release.ts'
import type { TestServer } from './testing/test-server.ts'

/** The shipped agent as a process, over HTTP, against boards that are honest, behind, or in wrong hands. */
beforeAll(buildAgent)

const patienceMs = 15_000

async function twoReleases() {
  return [
    await makeRelease({ version: '1.0.0', counter: 1 }),
    await makeRelease({ version: '2.0.0', counter: 2 }),
  ] as const
}

function rootSha256Of(server: TestServer): string {
  return createHash('sha256')
    .update(server.state.board.files.get('1.root.json') ?? '')
    .digest('hex')
}

function factsOf(server: TestServer) {
  return server.checkIns.findLast(({ facts }) => facts)?.facts
}

function isBlob({ url }: IncomingMessage): boolean {
  return url?.startsWith(devicePaths.blob('')) === true
}

async function ended(server: TestServer, job: string): Promise<string | undefined> {
  await server.until(() => endOf(server, job) !== undefined, patienceMs)
  return endOf(server, job)?.step
}

async function refused(server: TestServer, job: string): Promise<string> {
  await server.until(() => (refusedWaitOf(server, job) ?? stuckOf(server, job)) !== undefined, patienceMs)
  const said = stuckOf(server, job) ?? refusedWaitOf(server, job)
  return `${said?.refusal?.code} ${said?.refusal?.rule}`
}

test('what two of three members signed is installed, and receipt, facts and status say who they were', async () => {
  const [release] = await twoReleases()
  const server = await aServerWith(release)
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  const signed = endOf(server, '1')?.receipt?.signed
  expect(signed?.authorisedBy).toEqual({
    role: lineRole,
    version: 2,
    rootVersion: 1,
    snapshotVersion: 2,
    threshold: 2,
    signers: expect.arrayContaining(members.slice(0, 2).map(({ keyId }) => keyId)) as unknown,
  })
  expect(signed?.verification.find(({ level }) => level === 1)).toMatchObject({
    result: 'passed',
    detail: 'Authorised by the board: signed by 2 of 3 keys of company.tools, version 2',
  })
  const sha256 = rootSha256Of(server)
  expect(factsOf(server)).toMatchObject({ 'trust.anchor': 'first-use', 'trust.root.sha256': sha256 })
  const said = statusOf(folder)
  expect(said).toContain('Authorised by the board: signed by 2 of 3 keys of company.tools, version 2.')
  expect(said).toContain(`under the root ${sha256}, on first use`)
  expect(said).toMatch(/Verified files of the boards: root 1, company 1, .*company\.tools 2, targets 1/)
})

test('a device at rest checks in and fetches no metadata, also while newer files are published', async () => {
  const [v1, v2] = await twoReleases()
  const server = await aServerWith(v1)
  anAgent({ ...aFolder(), server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  await server.until(() => server.checkIns.at(-1)?.jobs.length === 0, patienceMs)
  const [asked, checkIns] = [server.metadataAsked.length, server.checkIns.length]
  expect(asked).toBeGreaterThan(5)
  server.state.board = publishGo(server.state.board, v2)
  expect(await server.until(() => server.checkIns.length >= checkIns + 5, patienceMs)).toBe(true)
  expect(server.metadataAsked).toHaveLength(asked)
  expect(server.checkIns.at(-1)?.metadataVersion).toBe(server.state.board.state.timestamp.signed.version - 1)
})

test('without the signatures of the board a device waits, says whose, and goes on by itself when they are there', async () => {
  const [release] = await twoReleases()
  const server = await aServer()
  server.boardAgrees = false
  server.assign([{ release, custom: customOf(release, '1') }])
  const folder = aFolder()
  // Its own tries are a minute apart: what wakes the job is that the server names newer files.
  anAgent({ ...folder, server: server.url, token: 'token', everySeconds: 3600 })
  expect(await refused(server, '1')).toBe('BOARD board-is-the-source')
  const wait = refusedWaitOf(server, '1')
  expect(wait).toMatchObject({ reason: 'gate' })
  expect(wait?.detail).toContain('company.tools does not list company/tools/normal/r1.json')
  expect(wait?.detail).toContain('Needed: 2 of 3 signatures of company.tools.')
  expect(statusOf(folder)).toContain('(BOARD, board-is-the-source)')
  expect(versionOnDisk(folder.root, [release])).toBeNull()
  server.state.board = publishGo(server.state.board, release)
  expect(await ended(server, '1')).toBe('committed')
})

test('one of three signatures is not enough, whoever holds the online keys', async () => {
  const [release] = await twoReleases()
  const server = await aServer()
  server.boardAgrees = false
  const forged = goDocument(server.state.board, release, { signers: members.slice(0, 1) })
  server.metadata = forgeInto(server.state.board, { [lineRole]: forged })
  server.assign([{ release, custom: customOf(release, '1') }])
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await refused(server, '1')).toMatch(/^QUORUM /)
  expect(refusedWaitOf(server, '1')?.detail).toContain('company.tools')
  expect(versionOnDisk(folder.root, [release])).toBeNull()
  // The thief used up a number; the next publication goes above it.
  server.state.board = publishInto(nowIn(publishGo(server.state.board, release)), {})
  server.metadata = null
  expect(await ended(server, '1')).toBe('committed')
})

test('another board may sign as much as it likes: a line is its own board’s', async () => {
  const [release] = await twoReleases()
  const server = await aServer()
  server.boardAgrees = false
  const forged = goDocument(server.state.board, release, { signers: otherMembers })
  server.metadata = forgeInto(server.state.board, { [lineRole]: forged })
  server.assign([{ release, custom: customOf(release, '1') }])
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await refused(server, '1')).toMatch(/^QUORUM /)
  expect(refusedWaitOf(server, '1')?.detail).toContain('company.tools was signed by 0/2 keys')
  expect(versionOnDisk(folder.root, [release])).toBeNull()
})

test('a release that one member stops is not installed, although the server says go at the same moment', async () => {
  const [v1, v2] = await twoReleases()
  const server = await aServerWith(v1)
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  server.gate = () => 'Not yet.'
  server.assign([{ release: v2, custom: customOf(v2, '2') }])
  await server.until(() => server.checkIns.some(({ ask }) => ask.includes('2')), patienceMs)
  server.state.board = publishStop(server.state.board, v2, 'It loses sales.')
  server.gate = () => null
  expect(await refused(server, '2')).toBe('WITHDRAWN stop-list-is-silent')
  expect(refusedWaitOf(server, '2')?.detail).toContain('It loses sales.')
  expect(versionOnDisk(folder.root, [v1, v2])).toBe('1.0.0')
  server.assign([])
  expect(await ended(server, '2')).toBe('cancelled')
  expect(versionOnDisk(folder.root, [v1, v2])).toBe('1.0.0')
})

test('a release that the board took from its list is not installed any more', async () => {
  const [v1, v2] = await twoReleases()
  const server = await aServerWith(v1)
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  server.gate = () => 'Not yet.'
  server.assign([{ release: v2, custom: customOf(v2, '2') }])
  await server.until(() => server.checkIns.some(({ ask }) => ask.includes('2')), patienceMs)
  server.state.board = publishWithdrawal(server.state.board, v2)
  server.gate = () => null
  expect(await refused(server, '2')).toBe('BOARD board-is-the-source')
  expect(versionOnDisk(folder.root, [v1, v2])).toBe('1.0.0')
})

test('files from before are refused also by a device that lost its cache, because it keeps what it has seen elsewhere', async () => {
  const [v1, v2] = await twoReleases()
  const server = await aServerWith(v1)
  const before = server.state.board.files
  server.assign([{ release: v2, custom: customOf(v2, '1') }])
  const folder = aFolder()
  const first = anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  await first.stop()
  rmSync(path.join(folder.data, 'tuf'), { recursive: true })
  server.metadata = before
  server.boardAgrees = false
  server.assign([{ release: v1, custom: customOf(v1, '2') }])
  anAgent({ ...folder, server: server.url })
  expect(await refused(server, '2')).toMatch(/^ROLLBACK .*not-older$/)
  expect(versionOnDisk(folder.root, [v1, v2])).toBe('2.0.0')
})

test('files that have ended stop what is new and take nothing away, and the renewed ones let it go on', async () => {
  const [release] = await twoReleases()
  const server = await aServer()
  const then = instantNow().subtract({ hours: 72 })
  server.state.board = foundBoard(then)
  const go = goDocument(server.state.board, release)
  server.state.board = publishInto({ ...server.state.board, at: instantNow() }, { [lineRole]: go })
  const fresh = server.state.board
  // The same files under a timestamp of three days ago.
  const old = publishInto({ ...fresh, at: then }, {})
  server.state.board = old
  server.assign([{ release, custom: customOf(release, '1') }])
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await refused(server, '1')).toMatch(/^EXPIRED /)
  expect(refusedWaitOf(server, '1')?.detail).not.toContain('Needed:')
  expect(versionOnDisk(folder.root, [release])).toBeNull()
  server.state.board = publishInto(nowIn(old), {})
  expect(await ended(server, '1')).toBe('committed')
})

test('with the fingerprint a device trusts exactly that root; with another one it is not enrolled and stores nothing', async () => {
  const [release] = await twoReleases()
  const server = await aServerWith(release)
  const folder = aFolder()
  const start = { ...folder, server: server.url, token: 'token' }
  const wrong = anAgent({ ...start, env: { BASCULE_ROOT_SHA256: 'f'.repeat(64) } })
  expect(await wrong.ended).toBe('69')
  expect(wrong.errors()).toMatch(/has the fingerprint [0-9a-f]{64}, not f{64}/)
  expect(existsSync(path.join(folder.data, '1.root.json'))).toBe(false)
  expect(statusOf(folder)).toContain('This device is not enrolled.')

  const right = anAgent({ ...start, env: { BASCULE_ROOT_SHA256: rootSha256Of(server).toUpperCase() } })
  expect(await ended(server, '1')).toBe('committed')
  expect(factsOf(server)).toMatchObject({ 'trust.anchor': 'fingerprint' })
  await right.stop()
  const other = anAgent({ ...start, env: { BASCULE_ROOT_SHA256: 'f'.repeat(64) } })
  expect(await other.ended).toBe('69')
})

test('a device from before the first ceremony takes the root at its first job, and none but the one it was told', async () => {
  const [release] = await twoReleases()
  const server = await aServerWith(release)
  server.givesRoot = false
  const trusting = aFolder()
  anAgent({ ...trusting, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  expect(statusOf(trusting)).toContain('on first use')

  const other = await aServerWith(release)
  other.givesRoot = false
  const careful = aFolder()
  anAgent({ ...careful, server: other.url, token: 'token', env: { BASCULE_ROOT_SHA256: 'f'.repeat(64) } })
  expect(await refused(other, '1')).toBe('ROOT root-is-the-anchor')
  expect(stuckOf(other, '1')).toMatchObject({ reason: 'trust' })
  expect(versionOnDisk(careful.root, [release])).toBeNull()

  const third = await aServerWith(release)
  third.givesRoot = false
  const told = aFolder()
  anAgent({ ...told, server: third.url, token: 'token', env: { BASCULE_ROOT_SHA256: rootSha256Of(third) } })
  expect(await ended(third, '1')).toBe('committed')
  expect(statusOf(told)).toContain('by its fingerprint')
})

test.each([0, 1, 100])('a cache of which every file was cut to %s bytes is fetched again', async (length) => {
  const [v1, v2] = await twoReleases()
  const server = await aServerWith(v1)
  const folder = aFolder()
  const first = anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  await first.stop()
  const cache = path.join(folder.data, 'tuf')
  const files = readdirSync(cache)
  expect(files).toEqual(expect.arrayContaining(['root.json', 'timestamp.json', `${lineRole}.json`]))
  for (const name of files) truncateSync(path.join(cache, name), length)
  truncateSync(path.join(folder.data, '1.root.json'), length)
  server.assign([{ release: v2, custom: customOf(v2, '2') }])
  anAgent({ ...folder, server: server.url })
  expect(await ended(server, '2')).toBe('committed')
  expect(readFileSync(path.join(folder.data, '1.root.json'))).toEqual(
    Buffer.from(server.state.board.files.get('1.root.json') ?? ''),
  )
})

test('relays that answer garbage, without an end, byte by byte or never are passed over', async () => {
  const [release] = await twoReleases()
  const server = await aServerWith(release)
  const garbage = await aRelay((_request, response) => response.end('{"signed":'))
  const endless = await aRelay((_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, ' ')));
    }
    response.on('drain', more).writeHead(200)
    more()
  })
  const silent = await aRelay(() => {})
  const dripping = await aRelay((request, response) => {
    if (isBlob(request)) {
      response.writeHead(404).end()
      return
    }
    const timer = setInterval(() => response.write(' '), 100)
    response.on('close', () => {
      clearInterval(timer)
    })
  })
  server.sources = [garbage, endless, silent, dripping]
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  expect(versionOnDisk(folder.root, [release])).toBe('1.0.0')
})

test('a server back from a backup gets the files that the device has kept, as a signed request', async () => {
  const [release] = await twoReleases()
  const server = await aServerWith(release)
  anAgent({ ...aFolder(), server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  server.wantsMetadata = true
  expect(await server.until(() => server.returned.length > 0, patienceMs)).toBe(true)
  const files = server.returned[0]?.files ?? {}
  expect(Object.keys(files)).toEqual(expect.arrayContaining(['root.json', 'snapshot.json', 'timestamp.json']))
  const kept = server.state.board.files.get(`2.${lineRole}.json`) ?? ''
  expect(files[`${lineRole}.json`]).toBe(Buffer.from(kept).toString('utf8'))
})

test('a server that claims newer files and has none is asked once more, and not with every check-in', async () => {
  const [release] = await twoReleases()
  const server = await aServerWith(release)
  server.gate = () => 'Not yet.'
  server.claims = 1_000_000
  anAgent({ ...aFolder(), server: server.url, token: 'token' })
  await server.until(() => server.checkIns.some(({ ask }) => ask.includes('1')), patienceMs)
  const checkIns = server.checkIns.length
  await server.until(() => server.checkIns.length >= checkIns + 10, patienceMs)
  expect(server.metadataAsked.filter((name) => name === 'timestamp.json').length).toBeLessThanOrEqual(2)
})

test('an agent that was started again installs from what it has verified, while no source of metadata answers', async () => {
  const [release] = await twoReleases()
  const server = await aServerWith(release)
  server.gate = () => 'Not yet.'
  const folder = aFolder()
  const first = anAgent({ ...folder, server: server.url, token: 'token' })
  await server.until(() => server.checkIns.some(({ ask }) => ask.includes('1')), patienceMs)
  await first.stop()
  server.metadata = new Map()
  server.gate = () => null
  anAgent({ ...folder, server: server.url })
  expect(await ended(server, '1')).toBe('committed')
})

test('what was once installed is never gone below, also after it was removed', async () => {
  const [v1, v2] = await twoReleases()
  const server = await aServerWith(v1)
  server.assign([{ release: v2, custom: customOf(v2, '1') }])
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  server.assign([{ release: v2, custom: customOf(v2, '2', { action: 'remove' }) }])
  expect(await ended(server, '2')).toBe('committed')
  server.assign([{ release: v1, custom: customOf(v1, '3') }])
  expect(await refused(server, '3')).toBe('ROLLBACK counter-rises')
  expect(versionOnDisk(folder.root, [v1, v2])).toBeNull()
})

test('a device that kept nothing goes back to nothing, and the receipt says who allowed it', async () => {
  const [release] = await twoReleases()
  const server = await aServerWith(release)
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  server.assign([{ release, custom: customOf(release, '2', { action: 'back-out' }) }])
  expect(await ended(server, '2')).toBe('committed')
  expect(endOf(server, '2')?.receipt?.signed).toMatchObject({ action: 'back-out', authorisedBy: { role: lineRole } })
  expect(versionOnDisk(folder.root, [release])).toBeNull()
})

test('a device that lost power just before it switched asks again, and a release stopped meanwhile is not switched to', async () => {
  const [v1, v2] = await twoReleases()
  const server = await aServerWith(v1)
  const folder = aFolder()
  const first = anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  server.gate = () => 'Not yet.'
  server.assign([{ release: v2, custom: customOf(v2, '2') }])
  await server.until(() => server.checkIns.some(({ ask }) => ask.includes('2')), patienceMs)
  await first.stop()
  const { journal } = openJournal(folder.data)
  const job = journal.state.jobs['2']
  if (job) journal.append({ t: 'job', job: { ...job, step: 'switching' } })
  journal.close()
  server.state.board = publishStop(server.state.board, v2, 'It loses sales.')
  anAgent({ ...folder, server: server.url })
  expect(await refused(server, '2')).toBe('WITHDRAWN stop-list-is-silent')
  expect(versionOnDisk(folder.root, [v1, v2])).toBe('1.0.0')
})

test('a server that says once that it is the year 2999 ages no device', async () => {
  const [release] = await twoReleases()
  const server = await aServerWith(release)
  server.forgeAnswer = (answer) => ({ ...answer, serverTime: '2999-01-01T00:00:00Z' })
  const folder = aFolder()
  const first = anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await refused(server, '1')).toMatch(/^(?:EXPIRED|STALE) /)
  await first.stop()
  server.forgeAnswer = (answer) => answer
  anAgent({ ...folder, server: server.url })
  expect(await ended(server, '1')).toBe('committed')
})

test('an order that differs from what the board signed, or is for another phase, is refused with its code', async () => {
  const [release] = await twoReleases()
  const server = await aServerWith(release)
  const [target] = server.state.targets
  const folder = aFolder()
  server.assign([{ release, custom: { ...target!.custom, phase: 7 } }])
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await refused(server, '1')).toBe('PHASE phase-is-signed')
  expect(refusedWaitOf(server, '1')?.detail).toContain('Needed: 2 of 3 signatures of company.tools.')
  server.forgeAssignment = (signed) =>
    signAssignment({ ...signed, 'x-device': members[0]?.keyId ?? '' }, server.director)
  server.assign([{ release, custom: customOf(release, '2') }])
  expect(await refused(server, '2')).toBe('DEVICE assignment-is-for-this-device')
  expect(versionOnDisk(folder.root, [release])).toBeNull()
})

test('a director whom the custodians name anew is obeyed, and the one from before no more', async () => {
  const [v1, v2] = await twoReleases()
  const server = await aServerWith(v1)
  const folder = aFolder()
  const agent = anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  const next = keyOf('next director')
  server.state.board = publishDirector(server.state.board, next)
  server.assign([{ release: v2, custom: customOf(v2, '2') }])
  expect(await refused(server, '2')).toBe('DIRECTOR director-signed')
  expect(versionOnDisk(folder.root, [v1, v2])).toBe('1.0.0')
  server.signer = next
  server.assign([{ release: v2, custom: customOf(v2, '3') }])
  expect(await ended(server, '3')).toBe('committed')
  await agent.stop()
  // Also after a start: an order of the former director is not even counted.
  server.signer = director
  server.assign([{ release: v1, custom: customOf(v1, '4') }])
  const again = anAgent({ ...folder, server: server.url })
  expect(await refused(server, '4')).toBe('DIRECTOR director-signed')
  await again.stop()
  expect(readJournal(folder.data)?.seenGeneration).toBe(server.state.generation - 1)
})

test('while a relay keeps the device waiting for files, it goes on checking in', async () => {
  const [release] = await twoReleases()
  const server = await aServer()
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token', everySeconds: 0.4 })
  await server.until(() => server.checkIns.length > 0, patienceMs)
  const checkInsMeanwhile: number[] = []
  const silent = await aRelay((request, response) => {
    if (isBlob(request)) {
      response.writeHead(404).end()
      return
    }
    const before = server.checkIns.length
    response.on('close', () => checkInsMeanwhile.push(server.checkIns.length - before))
  })
  server.sources = [silent]
  await server.until(() => server.checkIns.length > 1, patienceMs)
  const next = keyOf('next director')
  server.state.board = publishDirector(server.state.board, next)
  server.signer = next
  server.assign([{ release, custom: customOf(release, '1') }])
  expect(await ended(server, '1')).toBe('committed')
  // The first one to be kept waiting was the conversation, which needed to know the new director.
  expect(checkInsMeanwhile[0]).toBeGreaterThan(0)
})

test('a device that lost its memory and its cache still knows from what is installed how far its line has come', async () => {
  const [v1, v2] = await twoReleases()
  const server = await aServerWith(v1)
  server.assign([{ release: v2, custom: customOf(v2, '1') }])
  const folder = aFolder()
  const first = anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await ended(server, '1')).toBe('committed')
  await first.stop()
  for (const name of ['journal-a', 'journal-b', 'tuf']) rmSync(path.join(folder.data, name), { recursive: true })
  server.assign([{ release: v1, custom: customOf(v1, '2') }])
  anAgent({ ...folder, server: server.url })
  expect(await refused(server, '2')).toBe('ROLLBACK counter-rises')
  expect(statusOf(folder)).toContain('Authorised by the board: signed by 2 of 3 keys of company.tools, version')
  const memory = readJournal(folder.data)?.authority
  expect(memory?.installed).toEqual({ 'company/tools': { counter: 2, release: 'r2' } })
})
