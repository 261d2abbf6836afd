import { devicePaths } from '@bascule/contract/device/protocol.ts'
import { NetworkError, PoisonError } from '#/engine/failure.ts'
import type { BlobStore, Part } from './blob-store.ts'

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

interface Attempt {
  readonly want: WantedBlob
  readonly part: Part
  readonly options: FetchOptions
}

/** How a source left us: with everything there is, cut off on the way, or with nothing. */
type Departure =
  | { readonly kind: 'complete' }
  | { readonly kind: 'cut'; readonly why: string; readonly gotBytes: number }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'wrong'; readonly why: string }

/** A cut that brought something is followed by another try at the same source, so attempts are counted without progress. */
const triesWithoutProgressMax = 3
const bufferBytes = 262_144

/**
 * Brings a blob here by its digest. Goes on where it stopped, also after a restart of the agent, and goes to the next
 * source when one lies, breaks off or is silent. Bytes that are not the right ones never get the name of the blob.
 */
export async function fetchBlob(want: WantedBlob, options: FetchOptions): Promise<void> {
  if (options.store.has(want.hex)) return
  const problems: string[] = []
  let liars = 0
  for (const source of options.sources) {
    const outcome = await fetchFrom(source, want, options)
    if (outcome === null) return
    problems.push(`${source}: ${outcome.why}`)
    if (outcome.kind === 'wrong') liars += 1
  }
  const text = `sha256:${want.hex.slice(0, 12)}… did not come from any source. ${problems.join('; ')}`
  throw liars === options.sources.length ? new PoisonError(text) : new NetworkError(text)
}

async function fetchFrom(
  source: string,
  want: WantedBlob,
  options: FetchOptions,
): Promise<Exclude<Departure, { kind: 'complete' }> | null> {
  // What came before may be another source's poison: a source is only blamed for what it sent itself.
  let isMixed = partSize(want, options) > 0
  for (let idle = 0; ;) {
    const departure = await attempt(source, want, options)
    if (departure.kind === 'complete') {
      if (options.store.complete(want.hex)) return null
      if (!isMixed) return wrong(source, `sent other bytes than sha256:${want.hex.slice(0, 12)}… says`, options)
      options.note('What had come before from elsewhere was not right; the download began again.')
      isMixed = false
      continue
    }
    if (departure.kind === 'wrong') return wrong(source, departure.why, options)
    if (departure.kind === 'refused') return departure
    options.note(`The download from ${source} was cut (${departure.why}) and resumed.`)
    idle = departure.gotBytes > 0 ? 0 : idle + 1
    if (idle >= triesWithoutProgressMax) return departure
  }
}

function wrong(source: string, why: string, options: FetchOptions): Exclude<Departure, { kind: 'complete' }> {
  options.note(`The source ${source} ${why}; it was left out.`)
  return { kind: 'wrong', why }
}

function partSize(want: WantedBlob, { store }: FetchOptions): number {
  const part = store.openPart(want.hex)
  part.close()
  return part.sizeBytes
}

async function attempt(source: string, want: WantedBlob, options: FetchOptions): Promise<Departure> {
  const part = options.store.openPart(want.hex)
  try {
    if (part.sizeBytes > want.sizeBytes) part.restart()
    if (part.sizeBytes === want.sizeBytes) return { kind: 'complete' }
    return await transfer(source, { want, part, options })
  } finally {
    part.close()
  }
}

async function transfer(source: string, { want, part, options }: Attempt): Promise<Departure> {
  const stall = stallGuard(options.signal, options.stallMs)
  const before = part.sizeBytes
  try {
    const response = await fetch(`${source.replace(/\/$/, '')}${devicePaths.blob(want.hex)}`, {
      headers: { 'accept-encoding': 'identity', ...(before > 0 ? { range: `bytes=${before}-` } : {}) },
      signal: stall.signal,
      redirect: 'follow',
    })
    const refusal = prepareAnswer(response, part)
    if (refusal) {
      await response.body?.cancel()
      return refusal
    }
    return await receive(response, { want, part, options }, stall.touch)
  } catch (error) {
    // A failing disk is not the source's fault; only what the network did is answered here.
    if (isNetworkFailure(error)) {
      options.signal.throwIfAborted()
      return { kind: 'cut', why: reasonOf(error), gotBytes: part.sizeBytes - before }
    }
    throw error
  } finally {
    stall.stop()
  }
}

/** Undefined when the body may be appended at the end of the part. */
function prepareAnswer(response: Response, part: Part): Departure | undefined {
  if (response.status === 206) {
    const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]
    if (Number(start) === part.sizeBytes) return undefined
    return { kind: 'refused', why: 'answered with another range than asked for' }
  }
  if (response.status === 200) {
    part.restart()
    return undefined
  }
  if (response.status === 416) part.restart()
  return { kind: 'refused', why: `answered ${response.status}` }
}

async function receive(response: Response, { want, part, options }: Attempt, touch: () => void): Promise<Departure> {
  const before = part.sizeBytes
  let held: Uint8Array[] = []
  let heldBytes = 0
  const flush = (): void => {
    if (heldBytes > 0) part.append(Buffer.concat(held))
    held = []
    heldBytes = 0
    options.progress(part.sizeBytes)
  }
  try {
    for await (const bytes of response.body ?? []) {
      touch()
      held.push(bytes)
      heldBytes += bytes.length
      if (part.sizeBytes + heldBytes > want.sizeBytes) return { kind: 'wrong', why: 'sent more bytes than there are' }
      if (heldBytes >= bufferBytes) flush()
    }
  } catch (error) {
    if (!isNetworkFailure(error)) throw error
    flush()
    options.signal.throwIfAborted()
    return { kind: 'cut', why: reasonOf(error), gotBytes: part.sizeBytes - before }
  }
  flush()
  if (part.sizeBytes === want.sizeBytes) return { kind: 'complete' }
  return { kind: 'cut', why: 'ended early', gotBytes: part.sizeBytes - before }
}

/** A signal that fires when the caller stops or when nothing came for a while. */
function stallGuard(outer: AbortSignal, stallMs: number) {
  const inner = new AbortController()
  const stalled = () => {
    inner.abort(new NetworkError('nothing came any more'))
  }
  let timer = setTimeout(stalled, stallMs)
  return {
    signal: AbortSignal.any([outer, inner.signal]),
    touch: () => {
      clearTimeout(timer)
      timer = setTimeout(stalled, stallMs)
    },
    stop: () => {
      clearTimeout(timer)
    },
  }
}

/** `fetch` reports every failure of the network as a TypeError or as the reason of the signal. */
function isNetworkFailure(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof NetworkError ||
    (error instanceof Error && error.name === 'AbortError')
  )
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}
