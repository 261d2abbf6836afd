import type { Envelope } from '@bascule/trust/envelope.ts'
import type { RoleSigned, RootSigned, SnapshotSigned, TimestampSigned } from '@bascule/trust/tuf/documents.ts'
import { type RepositoryDraft, delegatedRoles, emptyRepository } from '@bascule/trust/tuf/repository-state.ts'
import { roleNameFrom } from '@bascule/trust/tuf/names.ts'
import type { Logger } from 'pino'
import type { SignerClient } from '#/platform/signer-client.ts'

/**
 * What the signer has published, as this server last saw it. The truth is the signer's; this copy is what devices and
 * members fetch, and what the server looks things up in. Nothing here can change what was signed.
 */
export interface SignedRepository extends AsyncDisposable {
  /** Files by name, as they are served under `/tuf/`. Empty before the first ceremony. */
  readonly files: ReadonlyMap<string, string>
  readonly state: RepositoryDraft
  /** 0 before the first ceremony. */
  readonly timestampVersion: number
  /** Asks the signer again and takes over what it has. Rejects when the signer does not answer. */
  refresh(): Promise<void>
  /** What is published; asks the signer when this server has not heard of it yet. */
  current(): Promise<RepositoryDraft>
  /** Asks the signer now, and again and again, because it renews two files by itself. */
  keepFresh(): void
}

declare module '#/platform/feature.ts' {
  interface Services {
    /** What the boards have signed and the signer has published. */
    repository: SignedRepository
  }
}

const refreshEveryMs = 20_000
/** Files of earlier versions that are still handed out: who holds an older timestamp is in the middle of asking for them. */
const keptFilesMax = 500

export function openSignedRepository(
  signer: Pick<SignerClient, 'repositoryFiles'>,
  log: Pick<Logger, 'warn'>,
): SignedRepository {
  let files: ReadonlyMap<string, string> = new Map()
  let state: RepositoryDraft = emptyRepository
  let hasHeard = false
  let asking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  async function ask(): Promise<void> {
    const found = await signer.repositoryFiles()
    const now = new Map(found.map(({ name, text }) => [name, text]))
    state = stateFrom(now)
    files = withOlder(now, files)
    hasHeard = true
  }

  /** Those who ask at one moment share an answer; who asks later gets a later one. */
  async function refresh(): Promise<void> {
    const before = asking
    if (before) await before.catch(() => undefined)
    asking ??= ask().finally(() => (asking = undefined))
    await asking
  }

  function lookAgain(): void {
    clearTimeout(timer)
    refresh()
      .catch((cause: unknown) => {
        if (!isClosed) log.warn({ err: cause }, 'the signer does not tell what is published')
      })
      .finally(() => {
        clearTimeout(timer)
        if (!isClosed) timer = setTimeout(lookAgain, refreshEveryMs).unref()
      })
  }

  return {
    get files() {
      return files
    },
    get state() {
      return state
    },
    get timestampVersion() {
      return state.timestamp?.signed.version ?? 0
    },
    refresh,
    async current() {
      if (!hasHeard) await refresh()
      return state
    },
    keepFresh: lookAgain,
    async [Symbol.asyncDispose]() {
      isClosed = true
      clearTimeout(timer)
      await Promise.resolve()
    },
  }
}

/** The published files, and the youngest of those that they took the place of. Without any, nothing is published. */
function withOlder(now: ReadonlyMap<string, string>, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const older = [...before].filter(([name]) => !now.has(name))
  return now.size === 0 ? now : new Map([...older.slice(-keptFilesMax), ...now])
}

/** The documents that the files hold; of each role the newest. The signer is ours, so their form is not checked again. */
function stateFrom(files: ReadonlyMap<string, string>): RepositoryDraft {
  const newest = new Map<string, { readonly version: number; readonly text: string }>()
  for (const [name, text] of files) {
    const [, version = '0', role = ''] = /^(?:(\d+)\.)?(.+)\.json$/.exec(name) ?? []
    const known = newest.get(role)
    if (!known || Number(version) > known.version) newest.set(role, { version: Number(version), text })
  }
  const read = <Signed>(role: string): Envelope<Signed> | undefined => {
    const found = newest.get(role)
    return found && (JSON.parse(found.text) as Envelope<Signed>)
  }
  const roles = [...newest.keys()].filter((role) => {
    const kind = roleNameFrom(role)?.kind
    return kind !== undefined && !['root', 'snapshot', 'timestamp', 'director'].includes(kind)
  })
  const [root, snapshot, timestamp] = [
    read<RootSigned>('root'),
    read<SnapshotSigned>('snapshot'),
    read<TimestampSigned>('timestamp'),
  ]
  return {
    counters: {},
    roles: Object.fromEntries(
      roles.flatMap((role) => {
        const document = read<RoleSigned>(role)
        return document ? [[role, document] as const] : []
      }),
    ),
    ...(root ? { root } : {}),
    ...(snapshot ? { snapshot } : {}),
    ...(timestamp ? { timestamp } : {}),
  }
}

/** The role of a product line, from the board that the metadata gives it to. */
export function lineRoleIn(state: RepositoryDraft, productLine: string): { role: string; board: string } | undefined {
  if (!state.root) return undefined
  for (const role of delegatedRoles(state)) {
    const name = roleNameFrom(role)
    if (name?.kind === 'line' && name.line === productLine) return { role, board: name.board }
  }
  return undefined
}
