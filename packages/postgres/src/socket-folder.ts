import { accessSync, constants, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import type { RunAs } from './run-as.ts'
import { startRefusal } from './refusal.ts'

/** The port is only a part of the socket's name. */
export const socketPort = 5432
const socketName = `.s.PGSQL.${socketPort}`
const longestSocketPath = 107
const prefix = 'bascule-'
const noteName = 'postgres-socket'

/**
 * A fresh private folder with a short path, because a socket's path holds at most 107 bytes and data folders may be
 * deep. A note in the data folder says where it is; what a killed start left behind is removed first.
 */
export async function makeSocketFolder(dataFolder: string, runAs: RunAs): Promise<string> {
  await removeSocketFolder(dataFolder)
  const folder = await mkdtemp(join(chooseRuntimeFolder(), prefix))
  if (runAs.account) await chown(folder, runAs.account.uid, runAs.account.gid)
  await writeFile(join(dataFolder, noteName), `${folder}\n`, { mode: 0o644 })
  return folder
}

/** Where the socket of the server that works in this data folder lies, if one ever started. */
export function readSocketNote(dataFolder: string): string | undefined {
  try {
    return readFileSync(join(dataFolder, noteName), 'utf8').trim()
  } catch {
    // No note: nobody started here yet, or it was stopped in order.
    return undefined
  }
}

export async function removeSocketFolder(dataFolder: string): Promise<void> {
  const folder = readSocketNote(dataFolder)
  if (folder !== undefined && basename(folder).startsWith(prefix)) {
    for (const name of [socketName, `${socketName}.lock`]) await rm(join(folder, name), { force: true })
    await rmdir(folder).catch((error: unknown) => {
      // Already gone after a restart of the machine, or somebody put something of theirs into it.
      if (!isOneOf(error, ['ENOENT', 'ENOTEMPTY', 'EPERM', 'EACCES'])) throw error
    })
  }
  await rm(join(dataFolder, noteName), { force: true })
}

/** A writable folder with a short path, or a `data-folder-unusable` refusal. */
export function chooseRuntimeFolder(): string {
  const candidates = [process.env['XDG_RUNTIME_DIR'], tmpdir(), '/tmp']
  const found = candidates.find((folder) => folder !== undefined && isWritable(folder) && isShort(folder))
  if (found !== undefined) return found
  throw startRefusal(
    'data-folder-unusable',
    `No folder for the socket of PostgreSQL: none of $XDG_RUNTIME_DIR, $TMPDIR and /tmp is writable with a path short ` +
      `enough for a socket (${longestSocketPath} bytes).`,
  )
}

function isShort(folder: string): boolean {
  return Buffer.byteLength(join(folder, `${prefix}XXXXXX`, `${socketName}.lock`)) <= longestSocketPath
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
