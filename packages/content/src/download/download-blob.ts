import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { fetchRange, type FetchOutcome } from './fetch-range.ts'
import type { PartFile } from './part-file.ts'

export interface DownloadSource {
  /** How events and notes call it, for example `relay-leeds`. */
  readonly name: string
  readonly url: string
}

/** What happened with one source, for the notes of a report. `atByte` is how much of the blob was there then. */
export interface DownloadEvent {
  readonly source: string
  readonly outcome: 'complete' | 'poisoned' | 'suspect' | Exclude<FetchOutcome['kind'], 'done'>
  readonly atByte: number
  readonly detail?: string
}

export interface DownloadOrder {
  readonly digest: string
  readonly sizeBytes: number
  /** In the order in which they are asked. */
  readonly sources: readonly DownloadSource[]
  readonly into: PartFile
  readonly onEvent?: (event: DownloadEvent) => void
  readonly onProgress?: (atByte: number) => void
  readonly signal?: AbortSignal
  readonly patience?: Partial<DownloadPatience>
}

export interface DownloadPatience {
  /** No byte for so long is a stall. */
  readonly stallMs: number
  /** How often one source may fail without bringing bytes that were not there before. Progress sets it back. */
  readonly fruitlessMax: number
  readonly pauseMs: number
  /** How long a `Retry-After` is waited for here; a longer one is told to the caller. */
  readonly waitMaxMs: number
}

export type DownloadFailure =
  /** Every source failed; what came so far is kept. */
  | { readonly kind: 'no-source'; readonly atByte: number }
  /** Those that are left asked to come back later; what came so far is kept. */
  | { readonly kind: 'come-back-later'; readonly atByte: number; readonly retryAfterMs: number }
  /** Every source gave other bytes than the digest names. */
  | { readonly kind: 'all-poisoned' }

interface SourceState {
  readonly source: DownloadSource
  isStruck: boolean
  isPoisoned: boolean
  /** Took part in a download with a wrong hash; from now on it has to deliver the whole alone. */
  isSuspect: boolean
  fruitless: number
  /** How often it asked for time without giving a new byte. */
  busyTimes: number
  notBeforeMs: number
}

interface Download {
  readonly order: DownloadOrder
  readonly patience: DownloadPatience
  readonly states: readonly SourceState[]
  /** Who gave the bytes that are there now; `undefined` stands for an earlier run. */
  readonly givers: Set<SourceState | undefined>
  at: number
  /** The farthest byte reached since the bytes were last thrown away for their hash. */
  highest: number
}

const defaultPatience: DownloadPatience = { stallMs: 30_000, fruitlessMax: 3, pauseMs: 250, waitMaxMs: 60_000 }

/**
 * Brings one blob from the first source that has it whole and right. It resumes what an earlier run left, goes on
 * where a source was cut, and never commits bytes with another hash. A failing disk is thrown, as `into` threw it.
 */
export async function downloadBlob(order: DownloadOrder): Promise<Result<{ sizeBytes: number }, DownloadFailure>> {
  const download: Download = {
    order,
    patience: { ...defaultPatience, ...order.patience },
    states: order.sources.map((source) => ({
      source,
      isStruck: false,
      isPoisoned: false,
      isSuspect: false,
      fruitless: 0,
      busyTimes: 0,
      notBeforeMs: 0,
    })),
    givers: new Set(),
    at: order.into.open(),
    highest: 0,
  }
  try {
    if (download.at > 0) download.givers.add(undefined)
    if (download.at > order.sizeBytes) throwAway(download)
    download.highest = download.at
    while (!(download.at === order.sizeBytes && isRight(download))) {
      const next = await nextSource(download)
      if (!next.ok) return next
      await askOnce(download, next.value)
    }
    order.into.commit()
    return ok({ sizeBytes: order.sizeBytes })
  } finally {
    // After a commit there is nothing left to close, and closing nothing is allowed.
    order.into.close()
  }
}

/** The source with the fewest fruitless tries, in order; waits for one that asked for time when it is worth it. */
async function nextSource(download: Download): Promise<Result<SourceState, DownloadFailure>> {
  const { states, patience, order, at } = download
  const usable = states.filter((state) => !state.isStruck && state.fruitless < patience.fruitlessMax)
  if (usable.length === 0) {
    const isAllPoison = states.length > 0 && states.every((state) => state.isPoisoned)
    return refuse(isAllPoison ? { kind: 'all-poisoned' } : { kind: 'no-source', atByte: at })
  }
  const ready = usable.filter((state) => state.notBeforeMs <= Date.now())
  const best = ready.toSorted((a, b) => a.fruitless - b.fruitless)[0]
  if (best) return ok(best)
  const retryAfterMs = Math.min(...usable.map((state) => state.notBeforeMs)) - Date.now()
  if (retryAfterMs > patience.waitMaxMs) return refuse({ kind: 'come-back-later', atByte: at, retryAfterMs })
  await sleep(Math.max(1, retryAfterMs), undefined, { signal: order.signal })
  return await nextSource(download)
}

async function askOnce(download: Download, state: SourceState): Promise<void> {
  const { order, patience } = download
  // Bytes of a suspect are not mixed with anybody's, or the next wrong hash would again have no culprit.
  const isMixed = [...download.givers].some(
    (giver) => giver !== state && (state.isSuspect || giver?.isSuspect === true),
  )
  if (isMixed) throwAway(download)
  const outcome = await fetchRange({
    url: state.source.url,
    from: download.at,
    sizeBytes: order.sizeBytes,
    stallMs: patience.stallMs,
    signal: order.signal,
    take(bytes) {
      if (bytes.length === 0) return
      order.into.append(bytes)
      download.givers.add(state)
      download.at += bytes.length
      order.onProgress?.(download.at)
    },
  })
  const hasProgress = download.at - download.highest >= leastProgress(order.sizeBytes) || outcome.kind === 'done'
  download.highest = Math.max(download.highest, download.at)
  if (hasProgress) {
    state.fruitless = 0
    state.busyTimes = 0
  }
  if (outcome.kind === 'done') return
  tell(download, state, outcome.kind, 'detail' in outcome ? outcome.detail : undefined)
  if (outcome.kind === 'refused' || outcome.kind === 'wrong-length') state.isStruck = true
  else if (outcome.kind === 'busy') waitFor(download, state, outcome.retryAfterMs)
  else if (!hasProgress) await pauseAfterNothing(download, state)
}

/** A few bytes before each cut are no progress, or a source could hold the caller with a thousand requests. */
function leastProgress(sizeBytes: number): number {
  return Math.max(1, Math.min(65_536, Math.floor(sizeBytes / 50)))
}

/** A source that asks for a moment again and again is left to the caller, so that this never turns in circles. */
function waitFor({ patience }: Download, state: SourceState, retryAfterMs: number): void {
  state.busyTimes += 1
  const isEndless = state.busyTimes > 3 * patience.fruitlessMax
  state.notBeforeMs = Date.now() + (isEndless ? Math.max(retryAfterMs, patience.waitMaxMs + 1000) : retryAfterMs)
}

async function pauseAfterNothing({ patience, order }: Download, state: SourceState): Promise<void> {
  state.fruitless += 1
  await sleep(patience.pauseMs * state.fruitless, undefined, { signal: order.signal })
}

/** Compares the whole with its digest. Wrong bytes are thrown away, and whoever gave them is struck or watched. */
function isRight(download: Download): boolean {
  const { order, givers } = download
  order.into.fsync()
  if (hashOf(order.into, order.sizeBytes) === order.digest) {
    const [last] = [...givers].reverse()
    if (last) tell(download, last, 'complete')
    return true
  }
  const culprits = [...givers].filter((giver) => giver !== undefined)
  for (const culprit of culprits) {
    culprit.isPoisoned = givers.size === 1
    culprit.isStruck = culprit.isPoisoned
    culprit.isSuspect = true
    tell(download, culprit, culprit.isPoisoned ? 'poisoned' : 'suspect')
  }
  throwAway(download)
  download.highest = 0
  return false
}

function hashOf(part: PartFile, sizeBytes: number): string {
  const digest = createHash('sha256')
  const buffer = new Uint8Array(1_048_576)
  for (let at = 0; at < sizeBytes;) {
    const count = part.read(at, buffer)
    if (count === 0) break
    digest.update(buffer.subarray(0, count))
    at += count
  }
  return `sha256:${digest.digest('hex')}`
}

function throwAway(download: Download): void {
  download.order.into.discard()
  download.givers.clear()
  download.at = 0
}

function tell({ order, at }: Download, { source }: SourceState, outcome: DownloadEvent['outcome'], detail?: string) {
  order.onEvent?.({ source: source.name, outcome, atByte: at, ...(detail !== undefined && { detail }) })
}
