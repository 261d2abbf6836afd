import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { MetadataCache } from '@bascule/trust/client/tuf-client.ts'
import { expiryFrom } from '@bascule/trust/expiry.ts'
import { makeFolders, putFile } from '#/durable.ts'

/** The verified metadata of this device, one file per role. */
export interface FileCache extends MetadataCache {
  /** Everything that is kept, by file name, for a server that lost it. */
  readonly all: () => Record<string, string>
}

/**
 * Keeps metadata in a folder; a file is there as a whole or not at all. A disk that takes nothing must not keep the
 * device from seeing a stop, so what cannot be written lives in memory until the next start fetches it again.
 */
export function openMetadataCache(folder: string, log: (line: string) => void): FileCache {
  const unwritten = new Map<string, Uint8Array>()
  const read = (name: string) => unwritten.get(name) ?? readIfReadable(path.join(folder, name))
  return {
    read,
    write(name, bytes) {
      const had = read(name)
      if (had && Buffer.from(had).equals(bytes)) return
      try {
        makeFolders(folder, 0o700)
        putFile(path.join(folder, name), bytes, 0o600)
        unwritten.delete(name)
      } catch (error) {
        if (unwritten.size === 0) log(`Metadata is kept in memory only: ${String(error)}.`)
        unwritten.set(name, bytes)
      }
    },
    all() {
      const names = existsSync(folder) ? readdirSync(folder) : []
      const kept = [...new Set([...names.filter((name) => name.endsWith('.json')), ...unwritten.keys()])].toSorted()
      return Object.fromEntries(kept.map((name) => [name, Buffer.from(read(name) ?? []).toString('utf8')]))
    },
  }
}

/** When the kept files end, by role and the first one first. For people: what cannot be read is left out. */
export function readMetadataEnds(folder: string): Record<string, string> {
  const ends = Object.entries(openMetadataCache(folder, () => {}).all()).flatMap(([name, text]) => {
    const end = endOf(text)
    return end ? [[decodeURIComponent(name.replace(/\.json$/, '')), end] as const] : []
  })
  return Object.fromEntries(ends.toSorted(([, one], [, other]) => Date.parse(one) - Date.parse(other)))
}

function endOf(text: string): string | undefined {
  try {
    const file = JSON.parse(text) as { signed?: { expires?: unknown } } | null
    return expiryFrom(file?.signed?.expires)?.toString()
  } catch {
    // Half of a file has no end; the agent brings the whole one.
    return undefined
  }
}

/** A file that cannot be read is as good as none: it is fetched again. */
function readIfReadable(file: string): Uint8Array | undefined {
  try {
    return readFileSync(file)
  } catch {
    // Missing or on a bad sector, it comes to the same: the next refresh brings it.
    return undefined
  }
}
