import { devicePaths } from '@bascule/contract/device/protocol.ts'
import type { MetadataSource } from '@bascule/trust/client/refresh-authority.ts'

export interface SourceOptions {
  readonly signal: AbortSignal
  /** A source that sends no byte for so long is given up; so is one that stays slower than `slowestBytesPerMs` for twice as long. */
  readonly stallMs: number
}

/** A file that drips in has no end that anybody waits for, and no job moves meanwhile. */
const slowestBytesPerMs = 4

/** Metadata from a server or a relay: `<base>/tuf/<name>`. */
export function httpSource(base: string, options: SourceOptions): MetadataSource {
  return {
    async fetchMetadata(name, maxBytes) {
      const url = `${base.replace(/\/$/, '')}${devicePaths.tuf(encodeURIComponent(name))}`
      try {
        return await fetchBounded(url, maxBytes, options)
      } catch (cause) {
        options.signal.throwIfAborted()
        throw new Error(`Reaching ${base} for ${name}: ${reasonOf(cause)}`, { cause })
      }
    },
  }
}

/** The body, of which one byte too many is the last that is read. Undefined when there is no such file. */
async function fetchBounded(
  url: string,
  maxBytes: number,
  { signal, stallMs }: SourceOptions,
): Promise<Uint8Array | undefined> {
  const stall = new AbortController()
  const startedMs = performance.now()
  const giveUp = () => {
    stall.abort(new Error(`nothing came for ${stallMs} ms`))
  }
  let timer = setTimeout(giveUp, stallMs)
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, stall.signal]) })
    if (response.status === 404) {
      await response.body?.cancel()
      return undefined
    }
    if (!response.ok || !response.body) throw new Error(`it answered ${response.status}`)
    const parts: Uint8Array[] = []
    let sizeBytes = 0
    for await (const part of response.body) {
      clearTimeout(timer)
      timer = setTimeout(giveUp, stallMs)
      parts.push(part)
      sizeBytes += part.length
      // Leaving the loop cancels the rest, however long it would have been.
      if (sizeBytes > maxBytes) break
      if (performance.now() - startedMs > 2 * stallMs + sizeBytes / slowestBytesPerMs) {
        throw new Error(`only ${sizeBytes} bytes came in ${Math.round(performance.now() - startedMs)} ms`)
      }
    }
    return Buffer.concat(parts).subarray(0, maxBytes + 1)
  } finally {
    clearTimeout(timer)
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message || cause.name : String(cause)
}
