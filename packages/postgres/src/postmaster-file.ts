import { readFileSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { lookAtProcess } from './processes.ts'
import { startRefusal } from './refusal.ts'

/** `postmaster.pid`, as PostgreSQL writes it: pid, folder, start, port, socket folder, address, shared memory, state. */
export interface PostmasterFile {
  readonly pid: number
  readonly port: number
  readonly socketFolder: string
  readonly isReady: boolean
}

export function readPostmasterFile(clusterFolder: string): PostmasterFile | undefined {
  const text = readIfThere(join(clusterFolder, 'postmaster.pid'))
  if (text === undefined) return undefined
  const lines = text.split('\n').map((line) => line.trim())
  return {
    pid: Number(lines[0]),
    port: Number(lines[3]),
    socketFolder: lines[4] ?? '',
    isReady: lines[7] === 'ready',
  }
}

/** The postmaster that works in this folder now, if there is one. A zombie or somebody else's process is none. */
export function findLivingPostmaster(clusterFolder: string): PostmasterFile | undefined {
  const file = readPostmasterFile(clusterFolder)
  return file !== undefined && isPostmasterOf(file.pid, clusterFolder) ? file : undefined
}

/**
 * Leaves no postmaster and no lock file of an earlier one in the folder. The caller holds the folder's lock, so a
 * postmaster that still lives has lost its parent: it is asked to stop, and a second one is never started beside it.
 *
 * PostgreSQL itself trusts `kill(pid, 0)`, which also succeeds for a zombie and for a number that was given again,
 * and would then refuse to start for ever. The files go only after proof that their process is gone.
 */
export async function clearLeftovers(clusterFolder: string, log: (line: string) => void): Promise<void> {
  const file = readPostmasterFile(clusterFolder)
  if (file === undefined) return
  if (isPostmasterOf(file.pid, clusterFolder)) {
    log(`PostgreSQL of an earlier start still runs (process ${file.pid}); stopping it first`)
    await stopOrphan(file.pid, clusterFolder)
  }
  rmSync(join(clusterFolder, 'postmaster.pid'), { force: true })
  if (file.socketFolder !== '') {
    rmSync(join(file.socketFolder, `.s.PGSQL.${file.port}.lock`), { force: true })
    rmSync(join(file.socketFolder, `.s.PGSQL.${file.port}`), { force: true })
  }
}

function isPostmasterOf(pid: number, clusterFolder: string): boolean {
  const look = lookAtProcess(pid)
  if (look === undefined || look.name !== 'postgres') return false
  return look.folder === undefined || look.folder === realpathSync(clusterFolder)
}

const patienceMs = { fast: 60_000, immediate: 15_000 }

async function stopOrphan(pid: number, clusterFolder: string): Promise<void> {
  for (const [signal, timeoutMs] of [
    ['SIGINT', patienceMs.fast],
    ['SIGQUIT', patienceMs.immediate],
  ] as const) {
    send(pid, signal)
    const giveUpAt = performance.now() + timeoutMs
    while (performance.now() < giveUpAt) {
      if (!isPostmasterOf(pid, clusterFolder)) return
      await pause(10)
    }
  }
  throw startRefusal(
    'data-folder-in-use',
    `PostgreSQL of an earlier start (process ${pid}) works in ${clusterFolder} and does not stop. End it by hand first.`,
  )
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return
    throw startRefusal(
      'data-folder-in-use',
      `PostgreSQL of an earlier start (process ${pid}) still runs under another user and cannot be stopped by us.`,
      error,
    )
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
