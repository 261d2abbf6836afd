import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findExecutable } from '@bascule/testkit/content/find-executable.ts'
import { temporaryFolder, toolFiles, toolYaml, writeFiles } from '@bascule/testkit/content/package-folder.ts'
import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { writeLayoutTar } from '@bascule/content/oci/layout-tar.ts'
import { blobPath, digestOf, readLayout, writeJsonBlob, writeLayoutIndex } from '@bascule/content/oci/layout.ts'
import { packFolder } from '@bascule/content/oci/pack-folder.ts'
import { pushLayout, type UploadMemory } from '@bascule/content/oci/push-layout.ts'
import { mediaTypes, PackageManifest } from '@bascule/contract/estate/oci.ts'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { readConfig } from '#/platform/config.ts'
import { connect, type DatabaseHandle } from '#/platform/db/connect.ts'
import { createApiKey } from '#/platform/identity/api-key.service.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { prepareServer, type PreparedServer } from '#/platform/serve.ts'
import { libraryFeature } from './library.feature.ts'
import { findActiveVersion } from './library.service.ts'

const run = promisify(execFile)
const held = new AsyncDisposableStack()
let database: DatabaseHandle
let server: PreparedServer
let url: string
let key: string
let readerKey: string
let data: string

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'bascule-library-'))
  held.defer(async () => await rm(data, { recursive: true, force: true }))
  const own = held.use(await createTestDatabase())
  database = held.use(await connect({ connection: own.address }))
  const config = readConfig([], { BASCULE_DATA: data, BASCULE_PORT: '0' })
  if (!config.ok) throw new Error(config.error.join())
  const log = pino({ level: 'silent' })
  const signerSocket = join(data, 'no-signer')
  server = held.use(
    await prepareServer({ config: config.value, database, log, features: [libraryFeature], signerSocket }),
  )
  url = (await server.listen()).replace('localhost', '127.0.0.1')
  key = await makeKey('release-manager')
  readerKey = await makeKey('change-manager')
})
afterAll(async () => {
  await held.disposeAsync()
})
beforeEach(async () => {
  for (const table of ['package_version_blob', 'blob', 'package_file', 'package_version', 'package'] as const) {
    await database.db.deleteFrom(table).execute()
  }
  for (const name of ['sha256', 'uploads']) {
    const folder = join(data, 'blobs', name)
    for (const entry of await readdir(folder)) await rm(join(folder, entry), { recursive: true })
  }
})

async function makeKey(role: 'release-manager' | 'change-manager'): Promise<string> {
  const actor = { kind: 'person', id: 'p', name: 'Ann', grants: [{ role: 'administrator' }] } as const
  const now = Temporal.Now.instant()
  const made = await createApiKey({ db: database.db, actor, now }, { name: `test ${role}`, role, expiresInDays: 1 })
  if (!made.ok) throw new Error(JSON.stringify(made.error))
  return made.value.key
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(`${url}${path}`, { ...init, headers: { 'x-api-key': key, ...(init.headers as object) } })
}

async function json(path: string, init: RequestInit = {}): Promise<unknown> {
  return await (await ask(path, init)).json()
}

/** A packed tool in a folder of its own; `change` replaces files before packing. */
async function aLayout(folder: string, change: Readonly<Record<string, string>> = {}): Promise<string> {
  await writeFiles(folder, { ...toolFiles, ...change })
  const layout = join(folder, 'layout')
  const packed = await packFolder(folder, layout)
  if (!packed.ok) throw new Error(JSON.stringify(packed.error))
  return layout
}

async function stored(): Promise<string[]> {
  const names = await readdir(join(data, 'blobs'), { recursive: true, withFileTypes: true })
  return names.filter((entry) => entry.isFile()).map((entry) => entry.name)
}

async function versionCount(): Promise<number> {
  return (await database.db.selectFrom('package_version').select('id').execute()).length
}

async function facts(): Promise<string[]> {
  const rows = await database.db
    .selectFrom('ledger')
    .select('did')
    .where('subject_kind', '=', 'package-version')
    .execute()
  return rows.map((row) => row.did)
}

async function importTar(tar: string): Promise<Response> {
  const headers = { 'content-type': 'application/x-tar' }
  return await ask('/api/library/import', { method: 'POST', body: await readFile(tar), headers })
}

test('a pushed package is a version with variants, modules, files and chunks, and one fact', async () => {
  await using folder = await temporaryFolder()
  const before = (await facts()).length
  const layout = await aLayout(folder.path)
  const pushed = await pushLayout({ layout, server: url, apiKey: key })
  expect(pushed).toMatchObject({ ok: true, value: { name: 'tool', version: '1.2.0', skippedBlobs: 0 } })
  const indexDigest = pushed.ok ? pushed.value.indexDigest : ''
  expect((await facts()).slice(before)).toEqual(['package-version.uploaded'])

  expect(await json('/api/estate/packages')).toMatchObject({
    items: [{ name: 'tool', vendor: 'Example', versionCount: 1, latest: { version: '1.2.0', state: 'active' } }],
  })
  expect(await json('/api/estate/packages/tool')).toMatchObject({
    versions: [{ version: '1.2.0', uploadedBy: 'test release-manager' }],
  })
  expect(await json('/api/estate/packages/tool/versions/1.2.0')).toMatchObject({
    index: { digest: indexDigest },
    fileCount: 3,
    variants: [
      {
        id: 'linux-amd64',
        when: { os: 'linux', arch: ['amd64'] },
        modules: [
          { name: 'core', roles: ['*'], fileCount: 2, chunkCount: 1 },
          { name: 'extras', roles: ['builder'], fileCount: 1, chunkCount: 1 },
        ],
      },
    ],
  })
  const page = (await json('/api/estate/packages/tool/versions/1.2.0/files?limit=2')) as {
    items: unknown[]
    next: string
  }
  expect(page.items).toMatchObject([{ path: 'bin/helper', module: 'extras', mode: 0o755 }, { path: 'bin/tool' }])
  expect(await json(`/api/estate/packages/tool/versions/1.2.0/files?limit=2&after=${page.next}`)).toMatchObject({
    items: [{ path: 'share/readme.txt', sha256: digestOf('Read me.\n').slice(7) }],
  })
  expect(await json('/api/estate/packages/tool/versions/1.2.0/variants/linux-amd64/layers')).toMatchObject([
    { module: 'core', pieces: { sizeBytes: 1_048_576 } },
    { module: 'extras' },
  ])
  const active = await findActiveVersion(database.db, 'tool', '1.2.0')
  expect(active?.indexDigest).toBe(indexDigest)
  expect(active?.indexSizeBytes).toBe((await readFile(blobPath(layout, indexDigest))).length)
})

test('a second push sends nothing again, and the same version cannot get other content', async () => {
  await using folder = await temporaryFolder()
  const layout = await aLayout(folder.path)
  await pushLayout({ layout, server: url, apiKey: key })
  const again = await pushLayout({ layout, server: url, apiKey: key })
  expect(again).toMatchObject({ ok: true, value: { sentBytes: 0, skippedBlobs: 3 } })
  expect(await versionCount()).toBe(1)

  await using other = await temporaryFolder()
  const changed = await aLayout(other.path, { 'files/core/share/readme.txt': 'Something else.' })
  const refused = await pushLayout({ layout: changed, server: url, apiKey: key })
  expect(refused).toMatchObject({ ok: false, error: { kind: 'refused', status: 409 } })
  expect(!refused.ok && refused.error.problem).toContain('with other content')
  expect(await versionCount()).toBe(1)
})

test('an upload that was cut goes on from where the server has it', async () => {
  await using folder = await temporaryFolder()
  const layout = await aLayout(folder.path, { 'files/core/share/large.bin': 'x'.repeat(3_000_000) })
  const content = await readLayout(layout)
  const layer = content.ok ? content.value.blobs.toSorted((a, b) => b.size - a.size)[0] : undefined
  const begun = await ask('/v2/tool/blobs/uploads/', { method: 'POST' })
  const location = new URL(begun.headers.get('location') ?? '', url).href
  const half = (await readFile(blobPath(layout, layer?.digest ?? ''))).subarray(0, 2_000_000)
  const headers = { 'x-api-key': key, 'content-type': 'application/octet-stream', 'content-range': '0-1999999' }
  const patched = await fetch(location, { method: 'PATCH', body: half, headers })
  expect(patched.headers.get('range')).toBe('0-1999999')
  const gap = await fetch(location, { method: 'PATCH', body: half, headers })
  expect([gap.status, gap.headers.get('range')]).toEqual([416, '0-1999999'])

  const known = new Map([[layer?.digest ?? '', location]])
  const memory: UploadMemory = {
    get: (digest) => known.get(digest),
    set: (digest, at) => void (at === undefined ? known.delete(digest) : known.set(digest, at)),
  }
  const pushed = await pushLayout({ layout, server: url, apiKey: key, memory })
  expect(pushed.ok && pushed.value.sentBytes).toBeLessThan((layer?.size ?? 0) - 1_990_000 + 20_000)
  expect(pushed.ok).toBe(true)
  expect(known.size).toBe(0)
})

test('who has no key or no right uploads nothing, and the refusal is in the words of the protocol', async () => {
  const unknown = await fetch(`${url}/v2/tool/blobs/uploads/`, { method: 'POST' })
  expect(unknown.status).toBe(401)
  expect(unknown.headers.get('www-authenticate')).toContain('Basic')
  expect(await unknown.json()).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] })
  const reader = await ask('/v2/tool/blobs/uploads/', { method: 'POST', headers: { 'x-api-key': readerKey } })
  expect(reader.status).toBe(403)
  expect(await reader.json()).toMatchObject({
    errors: [{ code: 'DENIED', message: expect.stringContaining('library.upload') as string }],
  })
  expect((await ask('/v2/', { headers: { 'x-api-key': readerKey } })).status).toBe(200)
  const tar = await ask('/api/library/import', { method: 'POST', body: 'x', headers: { 'x-api-key': readerKey } })
  expect(tar.status).toBe(403)
})

test('a blob with other bytes than promised is refused and not stored', async () => {
  const begun = await ask('/v2/tool/blobs/uploads/', { method: 'POST' })
  const location = begun.headers.get('location') ?? ''
  await ask(location, { method: 'PATCH', body: 'poison', headers: { 'content-type': 'application/octet-stream' } })
  const done = await ask(`${location}?digest=${digestOf('promise')}`, { method: 'PUT' })
  expect(done.status).toBe(400)
  expect(await done.json()).toMatchObject({
    errors: [{ code: 'DIGEST_INVALID', message: expect.stringContaining(digestOf('poison')) as string }],
  })
  const noDigest = await ask('/v2/tool/blobs/uploads/?digest=md5:1', { method: 'POST' })
  expect(noDigest.status).toBe(400)
  expect(await stored()).toEqual([])
})

async function putManifest(name: string, reference: string, body: string, type: string): Promise<[number, string]> {
  const reply = await ask(`/v2/${name}/manifests/${reference}`, {
    method: 'PUT',
    body,
    headers: { 'content-type': type },
  })
  return [reply.status, await reply.text()]
}

test('a manifest that is not one is a 4xx that names the place, and nothing is registered', async () => {
  await using folder = await temporaryFolder()
  const layout = await aLayout(folder.path)
  const content = await readLayout(layout)
  if (!content.ok) throw new Error('no layout')
  const index = await readFile(blobPath(layout, content.value.index.digest), 'utf8')
  const manifest = await readFile(blobPath(layout, content.value.manifests[0]?.digest ?? ''), 'utf8')

  expect(await putManifest('tool', '1.2.0', '{"schemaVersion":2,', mediaTypes.index)).toEqual([
    400,
    expect.stringContaining('is not JSON'),
  ])
  expect(await putManifest('tool', '1.2.0', index, 'text/plain')).toEqual([
    400,
    expect.stringContaining('content-type is text/plain'),
  ])
  expect(await putManifest('tool', '1.2.0', index, mediaTypes.index)).toEqual([
    400,
    expect.stringContaining('MANIFEST_BLOB_UNKNOWN'),
  ])
  expect(await putManifest('tool', '1.2.0', manifest, mediaTypes.manifest)).toEqual([
    400,
    expect.stringContaining('MANIFEST_BLOB_UNKNOWN'),
  ])
  const foreign = index.replace(mediaTypes.manifest, 'application/x-other')
  expect(await putManifest('tool', '1.2.0', foreign, mediaTypes.index)).toEqual([
    400,
    expect.stringContaining('manifests.0.mediaType'),
  ])
  expect(await putManifest('tool', digestOf('x'), index, mediaTypes.index)).toEqual([
    400,
    expect.stringContaining('DIGEST_INVALID'),
  ])
  expect(await putManifest('tool', '1.2.0', 'x'.repeat(1_000_001), mediaTypes.index)).toEqual([
    413,
    expect.stringContaining('SIZE_INVALID'),
  ])
  expect(await stored()).toEqual([])
  expect(await versionCount()).toBe(0)

  await pushLayout({ layout, server: url, apiKey: key })
  expect(await putManifest('tool', '9.9.9', index, mediaTypes.index)).toEqual([
    400,
    expect.stringContaining('version is 1.2.0'),
  ])
  expect(await putManifest('other', '1.2.0', index, mediaTypes.index)).toEqual([
    400,
    expect.stringContaining('name is tool'),
  ])
  expect(await versionCount()).toBe(1)
})

test('a recipe that lies about its files is refused by the file, however right its digests are', async () => {
  await using folder = await temporaryFolder()
  const layout = await aLayout(folder.path)
  const content = await readLayout(layout)
  if (!content.ok) throw new Error('no layout')
  const read = async (digest: string) => JSON.parse(await readFile(blobPath(layout, digest), 'utf8')) as unknown
  const manifest = PackageManifest.parse(await read(content.value.manifests[0]?.digest ?? ''))
  const config = (await read(manifest.config.digest)) as { files: { path: string }[] }
  for (const [path, sentence] of [
    ['../../etc/cron.d/evil', 'leaves the folder'],
    ['bin/unlisted', 'is in the layer but not in the list'],
  ] as const) {
    const files = config.files.map((file, n) => (n === 0 ? { ...file, path } : file))
    const configRef = await writeJsonBlob(layout, mediaTypes.config, { ...config, files })
    const manifestRef = await writeJsonBlob(layout, mediaTypes.manifest, { ...manifest, config: configRef })
    const index = (await read(content.value.index.digest)) as { manifests: object[] }
    const manifests = [{ ...index.manifests[0], ...manifestRef }]
    const indexRef = await writeJsonBlob(layout, mediaTypes.index, { ...index, manifests })
    await writeLayoutIndex(layout, indexRef, 'tool', '1.2.0')
    const pushed = await pushLayout({ layout, server: url, apiKey: key })
    expect(pushed).toMatchObject({ ok: false, error: { kind: 'refused', status: 400 } })
    expect(!pushed.ok && pushed.error.problem).toContain(sentence)
  }
  expect(await versionCount()).toBe(0)
})

test('the tar of pack is taken whole, or refused with nothing left of it', async () => {
  await using folder = await temporaryFolder()
  const layout = await aLayout(folder.path)
  const tar = join(folder.path, 'tool.tar')
  await writeLayoutTar(layout, tar)
  const whole = await readFile(tar)

  await truncate(tar, 9000)
  const cut = await importTar(tar)
  expect([cut.status, await cut.json()]).toMatchObject([
    400,
    { code: 'BAD_INPUT', data: { problem: expect.stringContaining('not a whole tar') as string } },
  ])
  expect(await stored()).toEqual([])

  const damaged = Buffer.from(whole)
  const at = damaged.indexOf('Read me.')
  damaged[at] = 0x72
  await writeFile(tar, damaged)
  const poisoned = await importTar(tar)
  expect([poisoned.status, await poisoned.json()]).toMatchObject([
    400,
    { data: { field: expect.stringMatching(/^blobs\/sha256\//) as string } },
  ])
  expect(await stored()).toEqual([])

  await writeFile(tar, 'this is no tar at all'.repeat(100))
  expect((await importTar(tar)).status).toBe(400)
  expect(await stored()).toEqual([])

  await writeFile(tar, whole)
  const taken = await importTar(tar)
  expect([taken.status, await taken.json()]).toMatchObject([201, { name: 'tool', version: '1.2.0' }])
  expect(await versionCount()).toBe(1)
  expect((await importTar(tar)).status).toBe(201)
  expect(await versionCount()).toBe(1)
})

test('a browser that goes away in the middle leaves nothing', async () => {
  await using folder = await temporaryFolder()
  const tar = join(folder.path, 'tool.tar')
  await writeLayoutTar(await aLayout(folder.path, { 'files/core/share/large.bin': 'x'.repeat(3_000_000) }), tar)
  const stop = new AbortController()
  const whole = await readFile(tar)
  const slow = async function* () {
    yield whole.subarray(0, 1_000_000)
    await expect.poll(async () => (await stored()).length).toBeGreaterThan(0)
    stop.abort()
    yield whole.subarray(1_000_000)
  }
  const sending = ask('/api/library/import', {
    method: 'POST',
    body: slow(),
    duplex: 'half',
    signal: stop.signal,
  } as never)
  await expect(sending).rejects.toThrow(/abort/i)
  await expect.poll(stored).toEqual([])
  expect(await versionCount()).toBe(0)
})

test('an upload in one request that is cut or wrong leaves nothing, because nobody could go on with it', async () => {
  const address = `/v2/tool/blobs/uploads/?digest=${digestOf('whole')}`
  expect((await ask(address, { method: 'POST', body: 'other' })).status).toBe(400)
  expect(await stored()).toEqual([])

  const cut = new AbortController()
  const half = async function* () {
    yield Buffer.alloc(100_000)
    await expect.poll(async () => (await stored()).length).toBe(1)
    cut.abort()
    yield Buffer.alloc(1)
  }
  const sending = ask(address, { method: 'POST', body: half(), duplex: 'half', signal: cut.signal } as never)
  await expect(sending).rejects.toThrow(/abort/i)
  await expect.poll(stored).toEqual([])
})

test('a tar that lies about the size of its index is refused before the index is read', async () => {
  await using folder = await temporaryFolder()
  const layout = await aLayout(folder.path)
  const tar = join(folder.path, 'tool.tar')
  const top = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as { manifests: { size: number }[] }
  const [entry] = top.manifests
  await writeLayoutTar(layout, tar)
  const lie = (await readFile(tar))
    .toString('latin1')
    .replace(`"size":${entry?.size}`, `"size":${(entry?.size ?? 0) + 1}`)
  await writeFile(tar, lie, 'latin1')
  const refused = await importTar(tar)
  expect(refused.status).toBe(400)
  expect(await refused.json()).toMatchObject({
    data: { problem: expect.stringContaining('bytes instead of') as string },
  })
  expect(await stored()).toEqual([])
})

test('devices get blobs by their hash, whole or in ranges, without signing in', async () => {
  await using folder = await temporaryFolder()
  const layout = await aLayout(folder.path)
  const pushed = await pushLayout({ layout, server: url, apiKey: key })
  const digest = pushed.ok ? pushed.value.indexDigest : ''
  const bytes = await readFile(blobPath(layout, digest))
  const address = `${url}/blobs/sha256/${digest.slice(7)}`
  const whole = await fetch(address)
  expect(Buffer.from(await whole.arrayBuffer())).toEqual(bytes)
  expect(Object.fromEntries(whole.headers)).toMatchObject({
    etag: `"${digest}"`,
    'accept-ranges': 'bytes',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-length': String(bytes.length),
  })
  const range = async (asked: string) => {
    const reply = await fetch(address, { headers: { range: asked } })
    return [reply.status, reply.headers.get('content-range'), await reply.text()]
  }
  const total = bytes.length
  expect(await range('bytes=10-')).toEqual([206, `bytes 10-${total - 1}/${total}`, bytes.subarray(10).toString()])
  expect(await range('bytes=0-3')).toEqual([206, `bytes 0-3/${total}`, bytes.subarray(0, 4).toString()])
  expect(await range('bytes=-5')).toEqual([
    206,
    `bytes ${total - 5}-${total - 1}/${total}`,
    bytes.subarray(-5).toString(),
  ])
  expect(await range(`bytes=${total}-`)).toEqual([416, `bytes */${total}`, ''])
  expect((await range('bytes=0-1,4-5'))[0]).toBe(200)
  expect((await fetch(address, { headers: { 'if-none-match': `"${digest}"` } })).status).toBe(304)
  expect((await fetch(address, { method: 'HEAD' })).headers.get('content-length')).toBe(String(total))
  expect((await fetch(`${url}/blobs/sha256/${'0'.repeat(64)}`)).status).toBe(404)
  expect((await fetch(`${url}/blobs/sha256/..%2F..%2Fsecret`)).status).toBe(404)
})

test('a retired version keeps its digest and its bytes, and is not pinned any more', async () => {
  await using folder = await temporaryFolder()
  const pushed = await pushLayout({ layout: await aLayout(folder.path), server: url, apiKey: key })
  const retire = async (): Promise<Response> =>
    await ask('/api/estate/packages/tool/versions/1.2.0/retire', { method: 'POST' })
  expect(await (await retire()).json()).toMatchObject({
    state: 'retired',
    index: { digest: pushed.ok && pushed.value.indexDigest },
  })
  expect((await facts()).at(-1)).toBe('package-version.retired')
  expect(await findActiveVersion(database.db, 'tool', '1.2.0')).toBeUndefined()
  expect((await fetch(`${url}/blobs/sha256/${pushed.ok ? pushed.value.indexDigest.slice(7) : ''}`)).status).toBe(200)
  const again = await retire()
  expect([again.status, await again.json()]).toMatchObject([409, { data: { rule: 'version-already-retired' } }])
  expect((await ask('/api/estate/packages/tool/versions/7/retire', { method: 'POST' })).status).toBe(404)
})

test('an upload that nobody continued for days is dropped, a fresh one stays', async () => {
  const begin = async (): Promise<string> => {
    const begun = await ask('/v2/tool/blobs/uploads/', { method: 'POST' })
    return begun.headers.get('location') ?? ''
  }
  const [old, fresh] = [await begin(), await begin()]
  await utimes(join(data, 'blobs', 'uploads', `${old.split('/').at(-1)}.part`), 0, 0)
  await wake(database.db, 'upload-sweep', 'all', Temporal.Now.instant())
  await server.services.worker.runDue()
  await expect.poll(async () => (await ask(old)).status).toBe(404)
  expect((await ask(fresh)).status).toBe(204)
})

test('bascule push brings a folder into the library', async () => {
  await using folder = await temporaryFolder()
  await writeFiles(folder.path, toolFiles)
  const main = fileURLToPath(new URL('../../../../cli/src/main.ts', import.meta.url))
  const env = { PATH: process.env['PATH'], BASCULE_SERVER: url, BASCULE_API_KEY: key, XDG_STATE_HOME: folder.path }
  const pushed = await run(process.execPath, [main, 'push', folder.path, '--json'], { env })
  expect(JSON.parse(pushed.stdout)).toMatchObject({ name: 'tool', version: '1.2.0', skippedBlobs: 0 })
  expect(pushed.stderr).toBe('')
  expect(await findActiveVersion(database.db, 'tool', '1.2.0')).toBeDefined()
  const denied = run(process.execPath, [main, 'push', folder.path], { env: { ...env, BASCULE_API_KEY: readerKey } })
  await expect(denied).rejects.toMatchObject({ code: 4, stderr: expect.stringContaining('library.upload') as string })
})

const skopeo = findExecutable('skopeo')

async function copy(...args: string[]): Promise<void> {
  const thisMachine = ['--override-os', 'linux', '--override-arch', 'amd64']
  await run(skopeo ?? '', ['copy', '--insecure-policy', ...thisMachine, ...args])
}

/** Copies the version out of the library and compares every blob with the layout that went in. */
async function expectSameBytesBack(layout: string, folder: string): Promise<void> {
  const content = await readLayout(layout)
  if (!content.ok) throw new Error('no layout')
  const { index, manifests, blobs } = content.value
  expect(await findActiveVersion(database.db, 'tool', '1.2.0')).toMatchObject({ indexDigest: index.digest })
  const back = join(folder, 'back')
  const source = `docker://${new URL(url).host}/tool:1.2.0`
  await copy('--all', '--src-tls-verify=false', '--src-creds', `api-key:${key}`, source, `oci:${back}:1.2.0`)
  for (const { digest } of [index, ...manifests, ...blobs]) {
    expect((await readFile(blobPath(back, digest))).equals(await readFile(blobPath(layout, digest)))).toBe(true)
  }
}

test.skipIf(skopeo === undefined)(
  'skopeo pushes to the library and pulls back the same bytes (needs skopeo)',
  async () => {
    await using folder = await temporaryFolder()
    const layout = await aLayout(folder.path, { 'bascule.yaml': toolYaml.replace('Example', '"A & B <c>"') })
    const target = `docker://${new URL(url).host}/tool:1.2.0`
    await copy('--dest-tls-verify=false', '--dest-creds', `api-key:${key}`, `oci:${layout}`, target)
    expect(await versionCount()).toBe(1)
    await expectSameBytesBack(layout, folder.path)
  },
  60_000,
)

test.skipIf(skopeo === undefined)(
  'skopeo --all pushes every variant; one of two alone is refused (needs skopeo)',
  async () => {
    await using folder = await temporaryFolder()
    const arm =
      '  - { id: linux-arm64, when: { os: linux, arch: [arm64] }, modules: { core: files/core, extras: files/extras } }'
    const layout = await aLayout(folder.path, { 'bascule.yaml': toolYaml.replace('\nmodules:', `\n${arm}\nmodules:`) })
    const to = ['--dest-tls-verify=false', '--dest-creds', `api-key:${key}`, `oci:${layout}`]
    const target = `docker://${new URL(url).host}/tool:1.2.0`
    await expect(copy(...to, target)).rejects.toThrow(/one of 2 variants/)
    expect(await versionCount()).toBe(0)
    await copy('--all', ...to, target)
    expect(await json('/api/estate/packages/tool/versions/1.2.0')).toMatchObject({
      variants: [{ id: 'linux-amd64' }, { id: 'linux-arm64' }],
    })
    await expectSameBytesBack(layout, folder.path)
  },
  60_000,
)
