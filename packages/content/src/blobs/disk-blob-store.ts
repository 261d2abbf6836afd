import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, mkdirSync } from 'node:fs'
import { chmod, mkdir, open, readdir, rename, rm, stat, utimes, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { assert, ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import type { BlobStore, StoredBlob, UploadRefusal } from './blob-store.ts'

const streamBytes = 262_144

export interface DiskBlobStoreOptions {
  /** Writes all bytes at the end of the file; a test puts a full disk here. */
  readonly write?: (file: FileHandle, bytes: Uint8Array) => Promise<void>
}

/**
 * Blobs as files: `sha256/<first two>/<hex>`, uploads as `uploads/<id>.part` beside them on the same file system. A
 * name below `sha256/` appears only by the rename of a synced file whose hash was just compared with that name.
 */
export function openDiskBlobStore(folder: string, options: DiskBlobStoreOptions = {}): BlobStore {
  const write = options.write ?? (async (file, bytes) => await file.writeFile(bytes))
  const uploads = join(folder, 'uploads')
  const writing = new Set<string>()
  // Packages are for who signed in and for devices, not for every account of this machine.
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  mkdirSync(join(folder, 'sha256'), { recursive: true })
  mkdirSync(uploads, { recursive: true })

  const partOf = (id: string): string => join(uploads, `${id}.part`)

  async function statBlob(digest: string): Promise<StoredBlob | undefined> {
    const found = await statFile(pathOf(folder, digest))
    return found && { digest, sizeBytes: found.size, storedAt: instantOf(found.mtimeMs) }
  }

  async function uploadOffset(id: string): Promise<number | undefined> {
    return isUploadId(id) ? (await statFile(partOf(id)))?.size : undefined
  }

  async function alone<T>(
    id: string,
    work: () => Promise<Result<T, UploadRefusal>>,
  ): Promise<Result<T, UploadRefusal>> {
    if (writing.has(id)) return refuse({ kind: 'busy' })
    writing.add(id)
    try {
      return await work()
    } catch (cause) {
      if (isDiskFull(cause)) return refuse({ kind: 'disk-full' })
      throw cause
    } finally {
      writing.delete(id)
    }
  }

  async function append(id: string, offset: number, source: AsyncIterable<Uint8Array>, limitBytes: number) {
    const current = await uploadOffset(id)
    if (current === undefined) return refuse({ kind: 'no-such-upload' as const })
    if (current !== offset) return refuse({ kind: 'wrong-offset' as const, offset: current })
    let at = current
    await using file = await open(partOf(id), 'a')
    for await (const bytes of source) {
      at += bytes.length
      if (at > limitBytes) {
        await rm(partOf(id), { force: true })
        return refuse({ kind: 'too-large' as const, limitBytes })
      }
      await write(file, bytes)
    }
    return ok(at)
  }

  async function finish(id: string, digest: string): Promise<Result<StoredBlob, UploadRefusal>> {
    if ((await uploadOffset(id)) === undefined) return refuse({ kind: 'no-such-upload' })
    const part = partOf(id)
    const found = await hashAndSync(part)
    if (found !== digest) {
      await rm(part, { force: true })
      return refuse({ kind: 'digest-mismatch', found })
    }
    const target = pathOf(folder, digest)
    if (await statFile(target)) await rm(part, { force: true })
    else await install(part, target)
    const stored = await statBlob(digest)
    assert(stored, `blob ${digest} is there after its rename`)
    return ok(stored)
  }

  async function* list(): AsyncIterable<StoredBlob> {
    for (const prefix of (await readdir(join(folder, 'sha256'))).toSorted()) {
      for (const hex of (await readdir(join(folder, 'sha256', prefix))).toSorted()) {
        const stored = await statBlob(`sha256:${hex}`)
        if (stored) yield stored
      }
    }
  }

  async function dropUploads(before: Temporal.Instant): Promise<number> {
    let dropped = 0
    for (const name of await readdir(uploads)) {
      const found = await statFile(join(uploads, name))
      if (!found || found.mtimeMs >= before.epochMilliseconds || writing.has(name.replace(/\.part$/, ''))) continue
      await rm(join(uploads, name), { force: true })
      dropped += 1
    }
    return dropped
  }

  return {
    stat: statBlob,
    uploadOffset,
    list,
    dropUploads,
    async open(digest, range) {
      const path = pathOf(folder, digest)
      return (await statFile(path)) && createReadStream(path, { ...range, highWaterMark: streamBytes })
    },
    async beginUpload() {
      const id = randomUUID()
      await using _file = await open(partOf(id), 'wx')
      return id
    },
    append: async (id, offset, source, limitBytes) =>
      await alone(id, async () => await append(id, offset, source, limitBytes)),
    finish: async (id, digest) => await alone(id, async () => await finish(id, digest)),
    async abort(id) {
      if (isUploadId(id)) await rm(partOf(id), { force: true })
    },
    async delete(digest) {
      await rm(pathOf(folder, digest), { force: true })
    },
  }
}

function pathOf(folder: string, digest: string): string {
  const hex = /^sha256:(?<hex>[0-9a-f]{64})$/.exec(digest)?.groups?.['hex']
  assert(hex !== undefined, `"${digest}" is a digest`)
  return join(folder, 'sha256', hex.slice(0, 2), hex)
}

/** The id becomes a file name, so it may be nothing but what `beginUpload` gave out. */
function isUploadId(id: string): boolean {
  return /^[0-9a-f-]{36}$/.test(id)
}

async function statFile(path: string) {
  try {
    return await stat(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`Looking at ${path}: ${(cause as Error).message}`, { cause })
  }
}

async function hashAndSync(path: string): Promise<string> {
  const digest = createHash('sha256')
  await using file = await open(path, 'r+')
  await file.datasync()
  for await (const bytes of createReadStream(path, { highWaterMark: streamBytes })) digest.update(bytes as Buffer)
  return `sha256:${digest.digest('hex')}`
}

/** From here on the blob exists: read-only, dated now, its name durable before anybody is told. */
async function install(part: string, target: string): Promise<void> {
  const folder = join(target, '..')
  await mkdir(folder, { recursive: true })
  await chmod(part, 0o444)
  const now = new Date()
  await utimes(part, now, now)
  await rename(part, target)
  await syncFolder(folder)
  await syncFolder(join(folder, '..'))
}

async function syncFolder(folder: string): Promise<void> {
  // Windows has no such call for folders; there the rename itself is journalled.
  if (process.platform === 'win32') return
  await using handle = await open(folder, 'r')
  await handle.sync()
}

function isDiskFull(cause: unknown): boolean {
  const { code } = cause as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}

function instantOf(epochMs: number): Temporal.Instant {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(epochMs))
}
