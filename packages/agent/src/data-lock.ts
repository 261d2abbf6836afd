import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { close, createNew, makeFolders, openExisting, writeAt } from '#/durable.ts'
import type { Platform } from '#/platform/platform.ts'

const fileName = 'agent.lock'
const fileBytes = 64

/** Another agent works in this data folder. */
export class FolderInUse extends Error {}

/**
 * One agent per data folder. The abstract socket goes away with its process, however that ends; the file catches an
 * agent in another network namespace, where abstract names are others.
 */
export async function lockFolder(data: string, platform: Platform): Promise<void> {
  makeFolders(data, 0o700)
  const owner = lockOwner(data, platform)
  if (owner !== null && owner !== process.pid) {
    throw new FolderInUse(
      `Another agent (process ${owner}) works in ${data}. Two agents on one data folder would undo each other.`,
    )
  }
  if (process.platform === 'linux') await holdSocket(data)
  try {
    writeOwner(path.join(data, fileName), platform)
  } catch (error) {
    // A full or read-only disk must not keep the agent from starting; the socket still guards the folder.
    process.stderr.write(`The lock file cannot be written: ${String(error)}\n`)
  }
}

/** The process that works in a data folder; null when there is none. */
export function lockOwner(data: string, platform: Platform): number | null {
  const file = path.join(data, fileName)
  if (!existsSync(file)) return null
  const [pid, start] = readFileSync(file, 'utf8').trim().split(' ')
  const isAlive = start !== undefined && platform.processStart(Number(pid)) === start
  return isAlive ? Number(pid) : null
}

/** A name that stands for the agent of this data folder and no other, the same after each start. */
export function instanceOf(data: string): string {
  return createHash('sha256').update(realpathSync(data)).digest('hex').slice(0, 16)
}

async function holdSocket(data: string): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new FolderInUse(`Another agent works in ${data}.`) : error)
    })
    server.listen({ path: `\0bascule-agent-${instanceOf(data)}` }, resolve)
  })
  server.unref()
}

function writeOwner(file: string, platform: Platform): void {
  const text = `${process.pid} ${platform.processStart(process.pid) ?? ''}`.padEnd(fileBytes - 1)
  const fd = existsSync(file) ? openExisting(file) : createNew(file, 0o644)
  try {
    writeAt(fd, Buffer.from(`${text}\n`), 0)
  } finally {
    close(fd)
  }
}
