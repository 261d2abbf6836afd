import { freshMemory } from '@bascule/trust/client/memory.ts'
import { refreshAuthority } from '@bascule/trust/client/refresh-authority.ts'
import { startOfTests as now, type DeliveryWorld } from './delivery-world.ts'

/** What a device makes of the metadata, from nothing but the first root. */
export async function authorityOf(files: ReadonlyMap<string, string>) {
  const cache = new Map<string, Uint8Array>()
  const refreshed = await refreshAuthority({
    anchor: { bytes: Buffer.from(files.get('1.root.json') ?? '') },
    cache: { read: (name) => cache.get(name), write: (name, bytes) => void cache.set(name, bytes) },
    sources: [
      {
        fetchMetadata: async (name) => {
          const text = files.get(name)
          return await Promise.resolve(text === undefined ? undefined : Buffer.from(text))
        },
      },
    ],
    lines: [{ board: 'desk', line: 'sales-desk' }],
    clock: now,
    memory: freshMemory(now.subtract({ hours: 1 })),
  })
  if (!refreshed.ok) throw new Error(JSON.stringify(refreshed.error))
  const failures = Object.values(refreshed.value.failures)
  if (failures.length > 0) throw new Error(JSON.stringify(failures))
  return refreshed.value
}

export async function blobOf({ blobs }: Pick<DeliveryWorld, 'blobs'>, hex: string | null): Promise<Buffer> {
  const found = await blobs.open(`sha256:${hex}`)
  if (!found) throw new Error(`There is no blob ${hex}`)
  return Buffer.concat(await found.toArray())
}
