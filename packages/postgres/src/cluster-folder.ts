import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chown, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

import type { PostgresBinaries } from './binaries.ts'
import { startRefusal } from './refusal.ts'
import type { RunAs } from './run-as.ts'

/** The user and the database inside the cluster. Only who may enter the socket folder gets that far. */
export const databaseUser = 'bascule'
export const databaseName = 'bascule'

/** `18.4` of the installed programs. */
export async function readVersion(binaries: PostgresBinaries, runAs: RunAs): Promise<string> {
  const answer = await run(runAs, [binaries.postgres, '--version'], '/')
  return /\d+\.\d+/.exec(answer)?.[0] ?? answer.trim()
}

/**
 * The folder of the cluster for this major version, made if it is missing. The folder appears under its name only
 * when it is complete, so a start that was killed half-way begins afresh.
 */
export async function ensureCluster(
  binaries: PostgresBinaries,
  runAs: RunAs,
  dataFolder: string,
  major: string,
): Promise<string> {
  const folder = join(dataFolder, `pg${major}`)
  await removeUnfinished(dataFolder, basename(folder))
  if (!existsSync(folder)) {
    refuseOtherMajor(dataFolder, major)
    await createCluster(binaries, runAs, folder, Number(major))
  }
  const found = existsSync(join(folder, 'PG_VERSION')) ? readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim() : '?'
  if (found !== major) {
    throw startRefusal(
      'data-folder-unusable',
      `${folder} is not a data folder of PostgreSQL ${major} (its version file says "${found}"). ` +
        'Put the folder back as it was, or restore a backup into an empty data folder.',
    )
  }
  return folder
}

function refuseOtherMajor(dataFolder: string, major: string): void {
  const other = readdirSync(dataFolder).find((name) => /^pg\d+$/.test(name))
  if (other === undefined) return
  throw startRefusal(
    'data-folder-unusable',
    `The data in ${dataFolder} belong to PostgreSQL ${other.slice(2)}, and this program brings PostgreSQL ${major}. ` +
      'Make a backup with the program that wrote them and restore it into an empty data folder.',
  )
}

const removal = { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }

async function removeUnfinished(dataFolder: string, name: string): Promise<void> {
  for (const entry of readdirSync(dataFolder)) {
    // An initdb whose parent was killed may still write there for a moment.
    if (entry.startsWith(`${name}.new-`)) await rm(join(dataFolder, entry), removal)
  }
}

async function createCluster(binaries: PostgresBinaries, runAs: RunAs, folder: string, major: number): Promise<void> {
  const unfinished = `${folder}.new-${process.pid}`
  await mkdir(unfinished, { mode: 0o700 })
  if (runAs.account) await chown(unfinished, runAs.account.uid, runAs.account.gid)
  await run(runAs, initdbCommand(binaries, unfinished, major), unfinished)
  // Single-user mode: no server, no socket, and the database exists before the cluster gets its name.
  const single = [binaries.postgres, '--single', '-D', unfinished, 'postgres']
  await run(runAs, single, unfinished, `create database ${databaseName}\n`)
  await rename(unfinished, folder)
  await syncFolder(dirname(folder))
}

/**
 * The built-in locale, which came with version 17, ties no index to the host's C library or ICU, so indexes survive an
 * upgrade of the system.
 */
function initdbCommand(binaries: PostgresBinaries, folder: string, major: number): readonly string[] {
  const builtin = major < 17 ? [] : ['--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const locale = ['--encoding=UTF8', ...builtin, '--locale=C']
  const access = [`--username=${databaseUser}`, '--auth-local=trust', '--auth-host=reject']
  return [binaries.initdb, '-D', folder, ...access, ...locale, '--no-instructions']
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder)
  await handle.sync()
}

/** In a session of its own: a Ctrl-C for us does not tear an initdb apart that is done in a second. */
async function run(runAs: RunAs, command: readonly string[], cwd: string, input = ''): Promise<string> {
  const [program = '', ...args] = [...runAs.prefix, ...command]
  const child = spawn(program, args, { ...runAs.account, cwd, detached: true, stdio: 'pipe' })
  // A program that asks nothing may be gone before its input is closed; its exit is what counts.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ])
  if (code === 0) return stdout
  const lastWords = stderr.trim().split('\n').slice(-5).join('\n')
  throw new Error(`${basename(command[0] ?? '')} ended with ${code ?? signal}: ${lastWords}`)
}
