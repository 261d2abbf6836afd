import { existsSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import path from 'node:path'
import type { PartFile } from '@bascule/content/download/part-file.ts'
import {
  close,
  createNew,
  makeFolders,
  openExisting,
  remove,
  rename,
  syncFile,
  syncFolder,
  truncate,
  writeAt,
} from '#/durable.ts'
import { hashFile } from './hash-file.ts'

/** What the device downloaded, by digest. A blob has its name only when every byte of it was verified and is on disk. */
export interface BlobStore {
  readonly folder: string
  has(hex: string): boolean
  pathOf(hex: string): string
  /** The bytes of a small blob, hashed again while reading: what rotted is not there. */
  read(hex: string): Buffer | null
  /** The file a blob comes into: `<hex>.part` until its bytes are verified and synchronised. */
  partFile(hex: string): PartFile
  discard(hex: string): void
  /** Removes everything but these. Answers how many bytes became free. */
  keepOnly(hexes: ReadonlySet<string>): number
}

export function openBlobStore(folder: string): BlobStore {
  const pathOf = (hex: string) => path.join(folder, hex)
  const discard = (hex: string): void => {
    if (existsSync(pathOf(hex))) remove(pathOf(hex))
  }
  return {
    folder,
    pathOf,
    has: (hex) => existsSync(pathOf(hex)),
    read(hex) {
      if (!existsSync(pathOf(hex))) return null
      if (hashFile(pathOf(hex)) === hex) return readFileSync(pathOf(hex))
      discard(hex)
      return null
    },
    partFile: (hex) => durablePartFile(`${pathOf(hex)}.part`, pathOf(hex)),
    discard,
    keepOnly: (hexes) => keepOnly(folder, hexes),
  }
}

/** Bytes are not synchronised before the end: a loss of power only costs a part of the download. */
function durablePartFile(part: string, target: string): PartFile {
  let fd = -1
  let sizeBytes = 0
  const closePart = (): void => {
    if (fd !== -1) close(fd)
    fd = -1
  }
  return {
    open() {
      makeFolders(path.dirname(part))
      sizeBytes = statSync(part, { throwIfNoEntry: false })?.size ?? 0
      fd = existsSync(part) ? openExisting(part) : createNew(part, 0o600)
      return sizeBytes
    },
    append(bytes) {
      writeAt(fd, bytes, sizeBytes)
      sizeBytes += bytes.length
    },
    read: (at, into) => readSync(fd, into, 0, into.length, at),
    discard() {
      if (sizeBytes > 0) truncate(fd, 0)
      sizeBytes = 0
    },
    fsync() {
      syncFile(fd)
    },
    commit() {
      closePart()
      rename(part, target)
      syncFolder(path.dirname(target))
    },
    close: closePart,
  }
}

function keepOnly(folder: string, hexes: ReadonlySet<string>): number {
  if (!existsSync(folder)) return 0
  let freedBytes = 0
  for (const name of readdirSync(folder)) {
    if (hexes.has(name.replace(/\.part$/, ''))) continue
    freedBytes += statSync(path.join(folder, name)).size
    remove(path.join(folder, name))
  }
  return freedBytes
}
