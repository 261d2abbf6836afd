import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { deleteUnreferenced, type BlobStore } from './blob-store.ts'

const limitBytes = 1_000_000
const hello = Buffer.from('hello, this is a blob')
const helloDigest = `sha256:${hash('sha256', hello)}`
const never = Temporal.Instant.fromEpochMilliseconds(0)
const later = Temporal.Instant.from('2999-01-01T00:00:00Z')

async function* from(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}

async function put(store: BlobStore, bytes: Uint8Array): Promise<string> {
  const id = await store.beginUpload()
  await store.append(id, 0, from(bytes), limitBytes)
  const done = await store.finish(id, `sha256:${hash('sha256', bytes)}`)
  if (!done.ok) throw new Error(done.error.kind)
  return done.value.digest
}

async function read(store: BlobStore, digest: string, range?: { start: number; end: number }): Promise<string> {
  const stream = await store.open(digest, range)
  return stream ? Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>)).toString() : 'nothing'
}

/** What every blob store must do, whatever it is made of. */
export function blobStoreContract(name: string, openStore: () => Promise<BlobStore>): void {
  describe(`the blob store contract holds for ${name}`, () => {
    test('what was uploaded in parts comes back whole and in ranges', async () => {
      const store = await openStore()
      const id = await store.beginUpload()
      expect(await store.uploadOffset(id)).toBe(0)
      expect(await store.append(id, 0, from(hello.subarray(0, 5), hello.subarray(5, 9)), limitBytes)).toMatchObject({
        value: 9,
      })
      expect(await store.stat(helloDigest)).toBeUndefined()
      expect(await store.append(id, 9, from(hello.subarray(9)), limitBytes)).toMatchObject({ ok: true })
      expect(await store.finish(id, helloDigest)).toMatchObject({ ok: true, value: { sizeBytes: hello.length } })
      expect(await read(store, helloDigest)).toBe(hello.toString())
      expect(await read(store, helloDigest, { start: 7, end: 10 })).toBe('this')
      expect(await store.uploadOffset(id)).toBeUndefined()
    })

    test('an upload that was cut goes on where it was', async () => {
      const store = await openStore()
      const id = await store.beginUpload()
      const cut = async function* () {
        yield hello.subarray(0, 8)
        throw new Error('cut')
      }
      await expect(store.append(id, 0, cut(), limitBytes)).rejects.toThrow('cut')
      const offset = (await store.uploadOffset(id)) ?? -1
      expect(offset).toBeLessThanOrEqual(8)
      await store.append(id, offset, from(hello.subarray(offset)), limitBytes)
      expect(await store.finish(id, helloDigest)).toMatchObject({ ok: true })
    })

    test('bytes at the wrong place are refused with the right place', async () => {
      const store = await openStore()
      const id = await store.beginUpload()
      await store.append(id, 0, from(hello), limitBytes)
      const refusal = { ok: false, error: { kind: 'wrong-offset', offset: hello.length } }
      expect(await store.append(id, 3, from(hello), limitBytes)).toEqual(refusal)
      expect(await store.finish(id, helloDigest)).toMatchObject({ ok: true })
    })

    test('other bytes than promised are never stored', async () => {
      const store = await openStore()
      const id = await store.beginUpload()
      await store.append(id, 0, from(Buffer.from('poison')), limitBytes)
      expect(await store.finish(id, helloDigest)).toMatchObject({ ok: false, error: { kind: 'digest-mismatch' } })
      expect(await store.stat(helloDigest)).toBeUndefined()
      expect(await store.uploadOffset(id)).toBeUndefined()
    })

    test('too many bytes end the upload', async () => {
      const store = await openStore()
      const id = await store.beginUpload()
      expect(await store.append(id, 0, from(hello, hello), 30)).toEqual({
        ok: false,
        error: { kind: 'too-large', limitBytes: 30 },
      })
      expect(await store.uploadOffset(id)).toBeUndefined()
    })

    test('the same bytes twice are one blob, which keeps its age', async () => {
      const store = await openStore()
      await put(store, hello)
      const first = await store.stat(helloDigest)
      await put(store, hello)
      expect(await store.stat(helloDigest)).toEqual(first)
      expect(await Array.fromAsync(store.list())).toHaveLength(1)
    })

    test('two senders to one upload do not mix', async () => {
      const store = await openStore()
      const id = await store.beginUpload()
      const gate = Promise.withResolvers<undefined>()
      const slow = async function* () {
        await gate.promise
        yield hello
      }
      const first = store.append(id, 0, slow(), limitBytes)
      const second = await store.append(id, 0, from(Buffer.from('mixed')), limitBytes)
      gate.resolve(undefined)
      expect(second).toEqual({ ok: false, error: { kind: 'busy' } })
      expect(await first).toEqual({ ok: true, value: hello.length })
    })

    test('unknown and strange upload ids are no upload', async () => {
      const store = await openStore()
      for (const id of ['', '../../etc/passwd', '00000000-0000-0000-0000-000000000000']) {
        expect(await store.uploadOffset(id)).toBeUndefined()
        expect(await store.append(id, 0, from(hello), limitBytes)).toEqual({
          ok: false,
          error: { kind: 'no-such-upload' },
        })
        expect(await store.finish(id, helloDigest)).toEqual({ ok: false, error: { kind: 'no-such-upload' } })
        await store.abort(id)
      }
    })

    test('only old blobs that nothing refers to are deleted', async () => {
      const store = await openStore()
      const kept = await put(store, Buffer.from('kept'))
      const gone = await put(store, Buffer.from('gone'))
      const isKept = async (digest: string) => digest === kept
      expect(await deleteUnreferenced(store, isKept, never)).toBe(0)
      expect(await deleteUnreferenced(store, isKept, later)).toBe(4)
      expect(await store.stat(gone)).toBeUndefined()
      expect(await read(store, kept)).toBe('kept')
      expect(await read(store, gone)).toBe('nothing')
    })

    test('abandoned uploads are dropped', async () => {
      const store = await openStore()
      const id = await store.beginUpload()
      expect(await store.dropUploads(never)).toBe(0)
      expect(await store.dropUploads(later)).toBe(1)
      expect(await store.uploadOffset(id)).toBeUndefined()
    })
  })
}
