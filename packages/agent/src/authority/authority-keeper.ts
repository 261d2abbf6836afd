import type { AuthorityRefusal } from '@bascule/trust/client/refusal.ts'
import { refreshAuthority, type MetadataSource } from '@bascule/trust/client/refresh-authority.ts'
import type { VerifiedAuthority } from '@bascule/trust/client/verified-authority.ts'
import { backOffMs } from '#/engine/retry.ts'
import type { Journal } from '#/journal/journal.ts'
import { anchorInUse, type AnchorInUse } from './anchor-in-use.ts'
import { lineText, linesOf } from './lines.ts'
import type { FileCache } from './metadata-cache.ts'
import { memoryOf, memoryRecords } from './seen-memory.ts'

/** What the release boards say, as far as this device knows, and why it does not know more. */
export interface Brought {
  readonly authority: VerifiedAuthority | null
  /** Of the last try to learn more; null when that went well. */
  readonly refusal: AuthorityRefusal | null
}

/** Keeps the verified metadata in memory, so that asking it costs nothing until somebody says that there is more. */
export interface AuthorityKeeper {
  /** Takes what the cache holds, after a start; asks nobody. */
  load(): Promise<void>
  /** The newest that is known; goes to the sources when more is wanted, or when nothing is known. */
  bring(): Promise<Brought>
  /** What is known, without asking anybody. */
  known(): VerifiedAuthority | null
  /** The next `bring` looks for newer files. */
  want(): void
  /** The server names a version. Answers whether it is news; a device believes only what it verifies. */
  heard(version: number | undefined): boolean
  /** Whether it is a day ago that this device looked for newer files; `bring` then looks. */
  isDue(): boolean
  /** Files as they are kept, for a server that lost them. */
  files(): Record<string, string>
}

export interface KeeperOptions {
  readonly data: string
  readonly journal: Journal
  readonly cache: FileCache
  /** In the order to ask; the server itself last. */
  readonly sources: () => readonly MetadataSource[]
  readonly now: () => string
  readonly random: () => number
  readonly signal: AbortSignal
  /** No pause after a failure is longer than this. */
  readonly everyMs: number
}

const dayMs = 86_400_000

export function createAuthorityKeeper(options: KeeperOptions): AuthorityKeeper {
  const { journal, cache } = options
  let known: VerifiedAuthority | null = null
  let refusal: AuthorityRefusal | null = null
  let covered = new Set<string>()
  let isWanted = false
  let hint = 0
  let quietUntilMs = 0
  let pauseMs: number | null = null
  let inFlight: Promise<void> | null = null

  /** Whether what is known answers for every line and is fresh. */
  function isEnough(): boolean {
    if (!known || Date.parse(known.freshUntil) <= Date.parse(options.now())) return false
    return linesOf(journal.state).every((line) => covered.has(lineText(line)))
  }

  async function load(): Promise<void> {
    const outcome = await refreshOnce({ ...options, sources: () => [] }, true)
    if (!outcome.ok) return
    const { authority, lines } = outcome
    known = authority
    // Where a role is missing in the cache, the sources are still to be asked.
    covered = new Set(Object.keys(authority.failures).length === 0 ? lines : [])
  }

  async function refresh(): Promise<void> {
    // Before the first file is asked for: who wants more while this goes on may mean what this one did not see.
    const wasWanted = isWanted
    isWanted = false
    let isAnswered = false
    try {
      if (known === null) await load()
      isAnswered = (!wasWanted && isEnough()) || (await refreshFromSources())
    } finally {
      if (!isAnswered) isWanted = true
    }
  }

  async function refreshFromSources(): Promise<boolean> {
    const outcome = await refreshOnce(options, false)
    if (outcome.ok) {
      const { authority, lines } = outcome
      known = authority
      covered = new Set(lines)
      refusal = null
      pauseMs = null
      return true
    }
    refusal = outcome.refusal
    pauseMs = Math.min(options.everyMs, backOffMs(pauseMs, options.random))
    quietUntilMs = performance.now() + pauseMs
    return false
  }

  async function bring(): Promise<Brought> {
    // The second round is for what was wanted while somebody else's was on its way.
    for (let round = 0; round < 2 && isDueNow(); round += 1) {
      inFlight ??= refresh().finally(() => {
        inFlight = null
      })
      await inFlight
    }
    return { authority: known, refusal }
  }

  function isDueNow(): boolean {
    return (isWanted || !isEnough()) && performance.now() >= quietUntilMs
  }

  return {
    load,
    bring,
    known: () => known,
    want() {
      isWanted = true
    },
    heard(version = 0) {
      const has = Math.max(hint, memoryOf(journal.state).timestampVersion)
      if (version <= has) return false
      // The same claim is followed once: a server that names what it does not have costs nothing more.
      hint = version
      isWanted = true
      quietUntilMs = 0
      return true
    },
    isDue() {
      const { authority } = journal.state
      return authority !== null && Date.parse(options.now()) - Date.parse(authority.notBefore) >= dayMs
    },
    files: () => cache.all(),
  }
}

type Outcome =
  | { readonly ok: true; readonly authority: VerifiedAuthority; readonly lines: readonly string[] }
  | { readonly ok: false; readonly refusal: AuthorityRefusal }

/** What was seen is durable before anybody acts on it. */
async function refreshOnce(options: KeeperOptions, isFromCache: boolean): Promise<Outcome> {
  const { journal, now } = options
  const sources = options.sources()
  const anchor = await anchorInUse(options, sources)
  if ('code' in anchor) return { ok: false, refusal: anchor }
  const lines = linesOf(journal.state)
  const answer = await refreshAuthority({
    anchor: { bytes: anchor.bytes, sha256: anchor.sha256 },
    cache: anchor.cache,
    sources,
    lines,
    clock: Temporal.Instant.from(now()),
    memory: memoryOf(journal.state),
    preferCache: isFromCache,
  })
  // Who is being stopped writes nothing any more.
  options.signal.throwIfAborted()
  if (!answer.ok) return { ok: false, refusal: answer.error }
  pin(options, anchor)
  const { memory } = answer.value
  // Files of before say nothing about when somebody was asked last.
  const notBefore = isFromCache ? memoryOf(journal.state).notBefore : memory.notBefore
  journal.append(...memoryRecords(journal.state, { ...memory, notBefore }))
  return { ok: true, authority: answer.value, lines: lines.map(lineText) }
}

/** A root that came on first use is kept for ever once everything below it could be verified. */
function pin({ journal }: KeeperOptions, anchor: AnchorInUse): void {
  const record = anchor.settle()
  if (record) journal.append({ ...record, epoch: journal.state.epoch ?? '' })
}
