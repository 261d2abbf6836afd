import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { binariesIn, locateBinaries } from './binaries.ts'
import { databaseName, databaseUser, ensureCluster, readVersion } from './cluster-folder.ts'
import { lockFolder } from './folder-lock.ts'
import { clearLeftovers, findLivingPostmaster } from './postmaster-file.ts'
import { chooseRunAs } from './run-as.ts'
import { fixedSettings, productionSettings, settingArguments } from './settings.ts'
import type { PostgresSettings } from './settings.ts'
import { makeSocketFolder, readSocketNote, removeSocketFolder, socketPort } from './socket-folder.ts'
import { supervisePostgres } from './supervise.ts'
import type { SupervisedPostgres } from './supervise.ts'

export interface PostgresAddress {
  /** A folder: PostgreSQL listens on a socket in it and on no TCP port. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
}

export interface EmbeddedPostgres extends AsyncDisposable {
  readonly address: PostgresAddress
  readonly connectionString: string
  readonly socketFolder: string
  /** `18.4` */
  readonly version: string
  readonly pid: number
  /** Resolves with how PostgreSQL ended, whether asked to or not. */
  readonly ended: Promise<string>
}

export interface EmbeddedPostgresOptions {
  readonly dataFolder: string
  readonly log?: (line: string) => void
  /** In place of or beside the usual settings; a test cluster turns `fsync` off here. */
  readonly settings?: PostgresSettings
  /** Folder of another PostgreSQL's programs, to try an older version; without it those that npm installed. */
  readonly binFolder?: string | undefined
}

/**
 * PostgreSQL of our own in `<dataFolder>/pg18`, created at the first start, reachable only through a socket. Two
 * postmasters never work in one folder, and none outlives this process. Throws a `StartRefusal` where a person has
 * to act (the folder is in use, the platform has no binaries, root without another account).
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  // Nobody else lists what is here. Passing through is allowed, because another account may have to run PostgreSQL.
  await mkdir(options.dataFolder, { recursive: true, mode: 0o711 })
  const dataFolder = await realpath(options.dataFolder)
  await using held = new AsyncDisposableStack()
  held.use(lockFolder(dataFolder))

  const log = options.log ?? (() => undefined)
  const binaries = options.binFolder === undefined ? locateBinaries() : binariesIn(options.binFolder)
  const runAs = chooseRunAs(binaries, dataFolder)
  const version = await readVersion(binaries, runAs)
  const clusterFolder = await ensureCluster(binaries, runAs, dataFolder, version.split('.')[0] ?? '')
  await clearLeftovers(clusterFolder, log)
  const socketFolder = await makeSocketFolder(dataFolder, runAs)
  held.defer(() => removeSocketFolder(dataFolder))

  const settings = { ...productionSettings(), ...options.settings, ...fixedSettings(socketFolder) }
  const command = [binaries.postgres, '-D', clusterFolder, ...settingArguments(settings)]
  const postgres = await retryWhileOldOneFades(() => supervisePostgres(runAs, command, clusterFolder, log))
  held.defer(() => postgres.stop())
  return describe(postgres, socketFolder, version, held.move())
}

/** The postmaster that works in this data folder now, started by whichever process. */
export function findRunningPostgres(dataFolder: string, major = '18'): PostgresAddress | undefined {
  const socketFolder = readSocketNote(dataFolder)
  if (socketFolder === undefined) return undefined
  return findLivingPostmaster(join(dataFolder, `pg${major}`))?.isReady ? addressOf(socketFolder) : undefined
}

function describe(
  postgres: SupervisedPostgres,
  socketFolder: string,
  version: string,
  held: AsyncDisposableStack,
): EmbeddedPostgres {
  const address = addressOf(socketFolder)
  return {
    address,
    connectionString: connectionStringOf(address),
    socketFolder,
    version,
    pid: postgres.pid,
    ended: postgres.ended,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

function addressOf(socketFolder: string): PostgresAddress {
  return { host: socketFolder, port: socketPort, user: databaseUser, database: databaseName }
}

/** A URL needs a host name, so the socket's folder stands in the query. */
export function connectionStringOf({ host, port, user, database }: PostgresAddress): string {
  return `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
}

/**
 * After a kill -9 of the postmaster alone its children need a moment to notice; until then their shared memory
 * guards the files and a start is refused. That guard is right, so we wait for it.
 */
async function retryWhileOldOneFades(start: () => Promise<SupervisedPostgres>): Promise<SupervisedPostgres> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start()
    } catch (error) {
      const isFading = error instanceof Error && error.message.includes('pre-existing shared memory block')
      if (!isFading || attempt === 50) throw error
      await pause(200)
    }
  }
}
