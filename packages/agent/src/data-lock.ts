import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { close, createNew, makeFolders, openExisting, writeAt } from '#/durable.ts'
import type { Platform } from '#/platform/platform.ts'

const guardName = 'agent.guard'
const noteName = 'agent.lock'
const noteBytes = 64
const sqliteBusy = 5

/** Another agent works in this data folder. */
export class FolderInUse extends Error {}

export interface FolderLock {
  /** Takes the lock when that was not possible before, for want of a disk that can be written. Throws `FolderInUse`. */
  ensure(): void
  release(): void
}

/** A database that nobody refers to is closed some day, and the lock with it. */
const held = new Set<DatabaseSync>()

/**
 * One agent per data folder. What locks is the kernel, on a file that only the account of the agent can open: no other
 * account can take it, and it is free when its process is gone, however that ended. Node reaches such a lock through
 * SQLite alone; nothing is ever written into the file. The note beside it tells people who the owner is.
 */
export function lockFolder(data: string, platform: Platform, log: (line: string) => void): FolderLock {
  makeFolders(data, 0o700)
  let guard: DatabaseSync | null = null
  const take = (): void => {
    guard = takeGuard(path.join(data, guardName))
    if (guard === null) throw inUse(data, platform)
    held.add(guard)
    writeNote(path.join(data, noteName), platform, log)
  }
  try {
    take()
  } catch (error) {
    if (error instanceof FolderInUse) throw error
    const owner = lockOwner(data, platform)
    if (owner !== null && owner !== process.pid) throw inUse(data, platform)
    // A disk that cannot be written must not keep the agent from saying so; without a journal it changes nothing.
    log(`The data folder cannot be locked (${String(error)}); this is tried again at each check-in.`)
  }
  return {
    ensure() {
      try {
        if (guard === null) take()
      } catch (error) {
        // That the disk does not let us was said at the start.
        if (error instanceof FolderInUse) throw error
      }
    },
    release() {
      if (guard === null) return
      held.delete(guard)
      guard.close()
      guard = null
    },
  }
}

function inUse(data: string, platform: Platform): FolderInUse {
  const owner = lockOwner(data, platform)
  const who = owner === null ? 'Another agent' : `Another agent (process ${owner})`
  return new FolderInUse(`${who} works in ${data}. Two agents on one data folder would undo each other.`)
}

/** Null when another process holds it. Throws when the disk does not let anybody hold it. */
function takeGuard(file: string): DatabaseSync | null {
  // SQLite would open a file that cannot be written for reading, and then share it.
  close(existsSync(file) ? openExisting(file) : createNew(file, 0o600))
  const guard = new DatabaseSync(file)
  try {
    guard.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return guard
  } catch (error) {
    guard.close()
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === sqliteBusy) return null
    throw error
  }
}

/** The process that works in a data folder; null when there is none. */
export function lockOwner(data: string, platform: Platform): number | null {
  const file = path.join(data, noteName)
  if (!existsSync(file)) return null
  const [pid, start, boot] = readFileSync(file, 'utf8').trim().split(' ')
  const isAlive = start !== undefined && boot === platform.bootId() && platform.processStart(Number(pid)) === start
  return isAlive ? Number(pid) : null
}

/** A name that stands for the agent of this data folder and no other, the same after each start. */
export function instanceOf(data: string): string {
  return createHash('sha256').update(realpathSync(data)).digest('hex').slice(0, 16)
}

/** Written in place and never longer, so that a full disk can take it. Nothing depends on it. */
function writeNote(file: string, platform: Platform, log: (line: string) => void): void {
  const text = `${process.pid} ${platform.processStart(process.pid) ?? ''} ${platform.bootId()}`.padEnd(noteBytes - 1)
  try {
    const fd = existsSync(file) ? openExisting(file) : createNew(file, 0o644)
    try {
      writeAt(fd, Buffer.from(`${text}\n`), 0)
    } finally {
      close(fd)
    }
  } catch (error) {
    log(`Who works in the data folder cannot be noted: ${String(error)}`)
  }
}
