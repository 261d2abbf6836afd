import { hash } from 'node:crypto'
import { chmod, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, type TemporaryFolder } from '@bascule/testkit/content/package-folder.ts'
import { afterEach, expect, test } from 'vitest'
import { blobStoreContract } from './blob-store.contract.ts'
import { openDiskBlobStore } from './disk-blob-store.ts'

const opened: TemporaryFolder[] = []
afterEach(async () => {
  for (const folder of opened.splice(0)) await folder[Symbol.asyncDispose]()
})

async function newFolder(): Promise<string> {
  const folder = await temporaryFolder()
  opened.push(folder)
  return folder.path
}

blobStoreContract('blobs on disk', async () => openDiskBlobStore(await newFolder()))

const bytes = Buffer.from('some bytes')
const digest = `sha256:${hash('sha256', bytes)}`
async function* some(): AsyncGenerator<Uint8Array> {
  yield bytes
}

test('a blob is a read-only file named after its hash, and nothing else is left', async () => {
  const folder = await newFolder()
  const store = openDiskBlobStore(folder)
  const id = await store.beginUpload()
  await store.append(id, 0, some(), 100)
  await store.finish(id, digest)
  const hex = digest.slice(7)
  expect((await stat(join(folder, 'sha256', hex.slice(0, 2), hex))).mode & 0o777).toBe(0o444)
  expect(await readdir(join(folder, 'uploads'))).toEqual([])
})

test('a new store is closed to other accounts; who opened an old one to a web server keeps it so', async () => {
  const folder = join(await newFolder(), 'blobs')
  const modeOf = async (): Promise<number> => (await stat(folder)).mode & 0o777
  openDiskBlobStore(folder)
  expect(await modeOf()).toBe(0o700)
  await chmod(folder, 0o750)
  openDiskBlobStore(folder)
  expect(await modeOf()).toBe(0o750)
})

test('a store opened again knows its blobs and goes on with its uploads', async () => {
  const folder = await newFolder()
  const first = openDiskBlobStore(folder)
  const id = await first.beginUpload()
  await first.append(id, 0, some(), 100)
  const second = openDiskBlobStore(folder)
  expect(await second.uploadOffset(id)).toBe(bytes.length)
  expect(await second.finish(id, digest)).toMatchObject({ ok: true })
  expect(await openDiskBlobStore(folder).stat(digest)).toMatchObject({ sizeBytes: bytes.length })
})

test('a full disk is a refusal of its kind, and the upload goes on when there is space', async () => {
  let isFull = true
  const folder = await newFolder()
  const store = openDiskBlobStore(folder, {
    async write(file, content) {
      if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      await writeFile(file, content)
    },
  })
  const id = await store.beginUpload()
  expect(await store.append(id, 0, some(), 100)).toEqual({ ok: false, error: { kind: 'disk-full' } })
  isFull = false
  expect(await store.append(id, 0, some(), 100)).toMatchObject({ ok: true })
  expect(await store.finish(id, digest)).toMatchObject({ ok: true })
})
