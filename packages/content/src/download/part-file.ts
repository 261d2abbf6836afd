import { closeSync, fsyncSync, ftruncateSync, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * The file a download grows in. Every call is synchronous and durable only where it says so, so that an agent can put
 * its own durable calls underneath. Calls come in this order: `open`, then any of the others, then `commit` or `close`.
 */
export interface PartFile {
  /** Opens what is there from before, or an empty file. Returns its size. */
  open(): number
  append(bytes: Uint8Array): void
  /** Reads at a place into `into`; returns how many bytes there were. */
  read(at: number, into: Uint8Array): number
  /** Back to zero bytes. */
  discard(): void
  fsync(): void
  /** Closes it and gives it its final name, durably. */
  commit(): void
  /** Closes it and keeps it for the next time. */
  close(): void
}

/** A part file on an ordinary disk: `path` once it is complete, `path.part` before. */
export function nodePartFile(path: string): PartFile {
  let file = -1
  function close(): void {
    if (file !== -1) closeSync(file)
    file = -1
  }
  return {
    open() {
      file = openSync(`${path}.part`, 'a+')
      return fstatSync(file).size
    },
    append(bytes) {
      for (let from = 0; from < bytes.length;) from += writeSync(file, bytes, from)
    },
    read: (at, into) => readSync(file, into, 0, into.length, at),
    discard: () => ftruncateSync(file, 0),
    fsync: () => fsyncSync(file),
    commit() {
      close()
      renameSync(`${path}.part`, path)
      syncFolder(dirname(path))
    },
    close,
  }
}

function syncFolder(folder: string): void {
  // Windows has no such call for folders; there the rename itself is journalled.
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
