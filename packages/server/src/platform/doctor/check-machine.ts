import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Config } from '#/platform/config.ts'
import { fail, fine, warn } from './finding.ts'
import type { Look } from './finding.ts'

const oldestNode = 26
const packageFile = new URL('../../../package.json', import.meta.url)

export function checkNode(_config: Config, version = process.versions.node): Look {
  if (Number.parseInt(version, 10) >= oldestNode) return fine(`Node ${version} runs this.`)
  return fail(
    `This is Node ${version}; the server needs ${oldestNode} or newer.`,
    'Start it with node_modules/.bin/node, the Node that comes with Bascule.',
  )
}

/** A clock that stands before things that already happened is certainly wrong; that is all one machine can know alone. */
export function checkClock({ dataFolder }: Config, now = Temporal.Now.instant()): Look {
  const folder = nearestFolder(dataFolder)
  const newestMs = Math.max(statSync(packageFile).mtimeMs, statSync(folder).mtimeMs)
  const aheadSeconds = Math.round((newestMs - now.epochMilliseconds) / 1000)
  if (aheadSeconds < 60) return fine(`The clock says ${now.toString({ smallestUnit: 'second' })}.`)
  return fail(
    `The clock says ${now.toString({ smallestUnit: 'second' })}, and ${folder} was changed ${aheadSeconds} seconds later than that.`,
    'Set the clock and keep it set with chrony or systemd-timesyncd: assignments and certificates live by it.',
  )
}

export function checkDataFolder({ dataFolder }: Config): Look {
  const folder = resolve(dataFolder)
  const nearest = nearestFolder(folder)
  try {
    accessSync(nearest, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    // The errno would only repeat what the sentence says.
    return fail(
      `${nearest} cannot be written by this account (${process.geteuid?.() ?? 'unknown'}).`,
      `Give the folder to the account of the server (chown), or choose another with BASCULE_DATA.`,
    )
  }
  return fine(nearest === folder ? `${folder} can be read and written.` : `${folder} will be made in ${nearest}.`)
}

const failBelowBytes = 500_000_000
const warnBelowBytes = 2_000_000_000
/** Magic numbers of file systems that do not keep what PostgreSQL relies on. */
const networkTypes = new Map([
  [0x69_69, 'NFS'],
  [0x51_7b, 'SMB'],
  [0xff_53_4d_42, 'CIFS'],
  [0xfe_53_4d_42, 'SMB2'],
])

export async function checkSpace({ dataFolder }: Config): Promise<Look> {
  const folder = nearestFolder(dataFolder)
  const { bavail, bsize, type } = await statfs(folder)
  const network = networkTypes.get(type)
  if (network !== undefined) {
    return fail(
      `${folder} lies on ${network}; PostgreSQL needs a disk of this machine.`,
      'Put the data folder on a local disk.',
    )
  }
  return judgeSpace(folder, bavail * bsize)
}

export function judgeSpace(folder: string, freeBytes: number): Look {
  const free = `${(freeBytes / 1e9).toFixed(1)} GB are free where ${folder} lies.`
  if (freeBytes < failBelowBytes) return fail(free, 'Make room: the server stops writing when the disk is full.')
  if (freeBytes < warnBelowBytes) return warn(free, 'Make room before the next packages come in.')
  return fine(free)
}

export function checkBlobs({ dataFolder }: Config): Look {
  const folder = join(resolve(dataFolder), 'blobs')
  if (!existsSync(folder)) return fine('There are no blobs yet; their folder is made at the first start.')
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    return fine(`${folder} can be written.`)
  } catch {
    // As above: the sentence says it.
    return fail(
      `${folder} cannot be written, so no package can be uploaded.`,
      'Give it to the account of the server (chown -R).',
    )
  }
}

/** The folder itself, or the nearest one above it that exists. */
export function nearestFolder(folder: string): string {
  const path = resolve(folder)
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path))
}
