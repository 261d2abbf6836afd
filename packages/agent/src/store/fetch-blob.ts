import { devicePaths } from '@bascule/contract/device/protocol.ts'
import { downloadBlob, type DownloadEvent, type DownloadFailure } from '@bascule/content/download/download-blob.ts'
import { NetworkError, PoisonError } from '#/engine/failure.ts'
import type { BlobStore } from './blob-store.ts'

export interface WantedBlob {
  readonly hex: string
  readonly sizeBytes: number
}

export interface FetchOptions {
  readonly store: BlobStore
  /** Base URLs in the order to try; the last one is the server itself. */
  readonly sources: readonly string[]
  readonly signal: AbortSignal
  /** Told what happened on the way, in sentences for the report. */
  readonly note: (text: string) => void
  /** Bytes of this blob that are here. */
  readonly progress: (bytes: number) => void
  readonly stallMs: number
}

/**
 * Brings a blob here by its digest. Goes on where it stopped, also after a restart of the agent, and goes to the next
 * source when one lies, breaks off or is silent. Bytes that are not the right ones never get the name of the blob.
 */
export async function fetchBlob(want: WantedBlob, options: FetchOptions): Promise<void> {
  if (options.store.has(want.hex)) return
  const log = createDownloadLog(want)
  try {
    const result = await downloadBlob({
      digest: `sha256:${want.hex}`,
      sizeBytes: want.sizeBytes,
      sources: options.sources.map((base) => ({ name: base, url: urlOf(base, want.hex) })),
      into: options.store.partFile(want.hex),
      onEvent: log.onEvent,
      onProgress: options.progress,
      signal: options.signal,
      patience: { stallMs: options.stallMs },
    })
    if (!result.ok) throw failureOf(result.error, want, log.problems())
  } finally {
    for (const note of log.notes()) options.note(note)
  }
}

function urlOf(base: string, hex: string): string {
  return `${base.replace(/\/$/, '')}${devicePaths.blob(hex)}`
}

function failureOf(failure: DownloadFailure, want: WantedBlob, problems: string): Error {
  const name = `sha256:${want.hex.slice(0, 12)}…`
  switch (failure.kind) {
    case 'all-poisoned':
      return new PoisonError(`Every source gave other bytes than ${name} names. ${problems}`)
    case 'come-back-later':
      return new NetworkError(
        `${name} is to be asked for again in ${Math.ceil(failure.retryAfterMs / 1000)} s. ${problems}`,
        failure.retryAfterMs,
      )
    case 'no-source':
      return new NetworkError(`${name} did not come from any source. ${problems}`)
    default:
      return failure satisfies never
  }
}

/** Counts what happened per source, so that a hundred cuts are one sentence. */
function createDownloadLog(want: WantedBlob) {
  const name = `sha256:${want.hex.slice(0, 12)}…`
  const cuts = new Map<string, number>()
  const sentences: string[] = []
  const problems = new Map<string, string>()
  const onEvent = ({ source, outcome, atByte, detail }: DownloadEvent): void => {
    if (outcome === 'complete') return
    problems.set(source, `${source}: ${outcome}${detail === undefined ? '' : ` (${detail})`}`)
    if (outcome === 'cut' || outcome === 'stalled') cuts.set(source, (cuts.get(source) ?? 0) + 1)
    if (outcome === 'poisoned') sentences.push(`${source} gave wrong bytes for ${name} and was left out.`)
    if (outcome === 'suspect') sentences.push(`Bytes of ${name} from several sources were wrong; it began again.`)
    if (outcome === 'wrong-length') sentences.push(`${source} lied about the length of ${name} at byte ${atByte}.`)
  }
  return {
    onEvent,
    problems: () => [...problems.values()].join('; '),
    notes: () => [
      ...sentences,
      ...[...cuts].map(
        ([source, count]) => `The download of ${name} from ${source} was cut ${count} times and resumed.`,
      ),
    ],
  }
}
