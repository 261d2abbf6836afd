import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
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

/** A file that is still coming. Its bytes are not synchronised before the end: a loss of power only costs a resume. */
export interface Part {
  readonly sizeBytes: number
  append(bytes: Uint8Array): void
  restart(): void
  close(): void
}

/** What the device downloaded, by digest. A blob has its name only when every byte of it was verified and is on disk. */
export interface BlobStore {
  readonly folder: string
  has(hex: string): boolean
  pathOf(hex: string): string
  /** The bytes of a small blob, hashed again while reading: what rotted is not there. */
  read(hex: string): Buffer | null
  openPart(hex: string): Part
  /** Hashes the whole part. True: it is now a blob. False: the part is gone, because it was something else. */
  complete(hex: string): boolean
  discard(hex: string): void
  /** Removes everything but these. Answers how many bytes became free. */
  keepOnly(hexes: ReadonlySet<string>): number
}

export function openBlobStore(folder: string): BlobStore {
  const pathOf = (hex: string) => path.join(folder, hex)
  const partOf = (hex: string) => path.join(folder, `${hex}.part`)
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
    openPart(hex) {
      makeFolders(folder)
      return openPart(partOf(hex))
    },
    complete: (hex) => complete(partOf(hex), pathOf(hex), hex),
    discard,
    keepOnly: (hexes) => keepOnly(folder, hexes),
  }
}

function openPart(file: string): Part {
  let sizeBytes = statSync(file, { throwIfNoEntry: false })?.size ?? -1
  const fd = sizeBytes === -1 ? createNew(file, 0o600) : openExisting(file)
  sizeBytes = Math.max(0, sizeBytes)
  return {
    get sizeBytes() {
      return sizeBytes
    },
    append(bytes) {
      writeAt(fd, bytes, sizeBytes)
      sizeBytes += bytes.length
    },
    restart() {
      if (sizeBytes > 0) truncate(fd, 0)
      sizeBytes = 0
    },
    close: () => {
      close(fd)
    },
  }
}

function complete(part: string, target: string, hex: string): boolean {
  if (hashFile(part) !== hex) {
    remove(part)
    return false
  }
  const fd = openExisting(part)
  try {
    syncFile(fd)
  } finally {
    close(fd)
  }
  rename(part, target)
  syncFolder(path.dirname(target))
  return true
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
