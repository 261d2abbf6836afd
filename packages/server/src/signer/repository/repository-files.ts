import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Publication } from '@bascule/trust/tuf/publish.ts'
import { type RepositoryDraft, type RepositoryState, emptyRepository } from '@bascule/trust/tuf/repository-state.ts'

/** One published file, as devices fetch it. */
export interface RepositoryFile {
  readonly name: string
  readonly text: string
}

/**
 * The published metadata on disk. `state.json` is the one place that says what is published, and it is replaced whole:
 * a file beside it that no state speaks of is what a loss of power left, was never handed out, and is written over.
 */
export interface RepositoryFiles {
  readonly state: RepositoryDraft
  /** Durable when it returns: first the files, then the state that speaks of them. */
  write(publication: Publication): void
  /** The text of a file by its name, such as `3.root.json`; undefined when nothing published has that name. */
  read(name: string): string | undefined
}

export function openRepositoryFiles(folder: string): RepositoryFiles {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const statePath = join(folder, 'state.json')
  let state: RepositoryDraft = existsSync(statePath) ? readState(statePath) : emptyRepository
  return {
    get state() {
      return state
    },
    write({ state: next, files }) {
      for (const { name, bytes } of files) if (name !== timestampName) replaceFile(join(folder, name), bytes)
      replaceFile(statePath, Buffer.from(JSON.stringify(next), 'utf8'))
      state = next
    },
    read(name) {
      if (name === timestampName) return state.timestamp && JSON.stringify(state.timestamp)
      return isPublished(state, name) ? readFileSync(join(folder, name), 'utf8') : undefined
    },
  }
}

/** Names of everything that a device without any metadata needs: all roots, and the present version of the rest. */
export function namesForNewcomers({ root, roles, snapshot }: RepositoryState): string[] {
  return [
    ...Array.from({ length: root.signed.version }, (_, before) => `${before + 1}.root.json`),
    ...Object.entries(roles).map(([role, { signed }]) => `${signed.version}.${role}.json`),
    `${snapshot.signed.version}.snapshot.json`,
    timestampName,
  ]
}

const timestampName = 'timestamp.json'

/** A version up to the present one of a role that has files; anything else names nothing, whatever lies in the folder. */
function isPublished(state: RepositoryDraft, name: string): boolean {
  const [, version, role = ''] = /^([1-9][0-9]{0,9})\.([a-z0-9.-]+)\.json$/.exec(name) ?? []
  const latest = versionOf(state, role)
  return latest !== undefined && Number(version) <= latest
}

function versionOf({ root, roles, snapshot }: RepositoryDraft, role: string): number | undefined {
  if (role === 'root') return root?.signed.version
  if (role === 'snapshot') return snapshot?.signed.version
  return Object.hasOwn(roles, role) ? roles[role]?.signed.version : undefined
}

function readState(path: string): RepositoryState {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RepositoryState
  } catch (cause) {
    throw new Error(`Reading ${path}: it is damaged. Restore it with the other files of the signer.`, { cause })
  }
}

/** The old file or the new one, never a mixture, whenever the power goes. */
function replaceFile(path: string, bytes: Uint8Array): void {
  const draft = `${path}.new`
  const file = openSync(draft, 'w', 0o600)
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
  syncFolder(dirname(path))
}

function syncFolder(path: string): void {
  // Windows cannot open a folder to sync it; NTFS journals the name with the file.
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
