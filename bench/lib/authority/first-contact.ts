import '../count-crypto.ts'
import { freshMemory, type SeenMemory } from '@bascule/trust/client/memory.ts'
import { refreshAuthority } from '@bascule/trust/client/refresh-authority.ts'
import { counts } from '../count-crypto.ts'
import { print, round, spreadOf } from '../report.ts'

const runs = 15

export interface Published {
  readonly url: string
  readonly board: string
  readonly line: string
}

interface Measured {
  readonly ms: number
  readonly requests: number
  readonly bytes: number
  readonly checks: number
}

interface Refresh extends Measured {
  readonly cache: Map<string, Uint8Array>
  readonly memory: SeenMemory
  readonly names: readonly string[]
}

interface Start {
  readonly cache?: ReadonlyMap<string, Uint8Array>
  readonly memory?: SeenMemory
  readonly fromCache?: boolean
}

async function load(url: string, name: string): Promise<Uint8Array | undefined> {
  const response = await fetch(`${url}/tuf/${encodeURIComponent(name)}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  return response.ok ? bytes : undefined
}

/** What an agent does, with its requests and signature checks counted. */
async function refresh(place: Published, anchor: Uint8Array, start: Start = {}): Promise<Refresh> {
  const cache = new Map(start.cache)
  const names: string[] = []
  let sizeBytes = 0
  const fetchMetadata = async (name: string): Promise<Uint8Array | undefined> => {
    const bytes = await load(place.url, name)
    names.push(name)
    sizeBytes += bytes?.length ?? 0
    return bytes
  }
  const before = counts.checks
  const clock = Temporal.Now.instant()
  const startedAt = performance.now()
  const answer = await refreshAuthority({
    anchor: { bytes: anchor },
    cache: { read: (name) => cache.get(name), write: (name, bytes) => void cache.set(name, bytes) },
    sources: [{ fetchMetadata }],
    lines: [{ board: place.board, line: place.line }],
    clock,
    memory: start.memory ?? freshMemory(clock),
    preferCache: start.fromCache ?? false,
  })
  const ms = performance.now() - startedAt
  if (!answer.ok || Object.keys(answer.value.failures).length > 0) {
    throw new Error(`The refresh failed: ${JSON.stringify(answer)}`)
  }
  const { memory } = answer.value
  return { ms, requests: names.length, bytes: sizeBytes, checks: counts.checks - before, cache, memory, names }
}

/** The same files one after the other, believed as they come. */
async function fetchOnly(url: string, names: readonly string[]): Promise<Measured> {
  const startedAt = performance.now()
  let sizeBytes = 0
  for (const name of names) sizeBytes += (await load(url, name))?.length ?? 0
  return { ms: performance.now() - startedAt, requests: names.length, bytes: sizeBytes, checks: 0 }
}

function say(what: string, of: readonly Measured[]): { readonly median: number } {
  const ms = spreadOf(of.map((one) => one.ms))
  const most = (pick: (one: Measured) => number): number => Math.max(...of.map(pick))
  const [requests, bytes, checks] = [most((one) => one.requests), most((one) => one.bytes), most((one) => one.checks)]
  print({ bench: 'authority', what, ms, requests, bytes, signatureChecks: checks })
  return ms
}

/**
 * A device that knows nothing but its first root verifies everything, over loopback HTTP; one that is up to date asks
 * whether there is more; one asks its own cache after a start. Beside them the same files without any check.
 */
export async function benchFirstContact(place: Published): Promise<void> {
  const anchor = await load(place.url, '1.root.json')
  if (!anchor) throw new Error('There is no root.')
  const results = { cold: [] as Measured[], again: [] as Measured[], cached: [] as Measured[], plain: [] as Measured[] }
  await refresh(place, anchor) // Warm code.
  for (let at = 0; at < runs; at += 1) {
    const cold = await refresh(place, anchor)
    results.cold.push(cold)
    results.plain.push(await fetchOnly(place.url, cold.names))
    results.again.push(await refresh(place, anchor, cold))
    results.cached.push(await refresh(place, anchor, { ...cold, fromCache: true }))
  }
  const cold = say('first contact: everything fetched and verified', results.cold)
  const plain = say('the same files fetched and not verified', results.plain)
  say('full refresh that finds nothing new', results.again)
  say('everything from the cache, as after a start', results.cached)
  print({
    bench: 'authority',
    what: 'ratio of medians, first contact to fetching alone',
    ms: round(cold.median / plain.median),
  })
}
