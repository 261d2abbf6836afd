import type * as z from 'zod'
import { fetchBlob, type FetchOptions } from '#/store/fetch-blob.ts'
import { ContentError } from './failure.ts'
import type { World } from './world.ts'

/** Brings a small JSON document here by its digest and reads it. What has the right hash and another form is content that no source can heal. */
export async function readJsonBlob<Schema extends z.ZodType>(
  world: World,
  want: { readonly hex: string; readonly sizeBytes: number; readonly what: string },
  schema: Schema,
  note: (text: string) => void,
): Promise<z.infer<Schema>> {
  const bytes = await bringBlob(world, want, note)
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new ContentError(`${want.what} is not JSON`, { cause })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new ContentError(`${want.what}: ${issue?.path.map(String).join('.') ?? ''} ${issue?.message ?? 'is malformed'}`)
}

/** The bytes of a small blob, from the store or from a source. */
export async function bringBlob(
  world: World,
  want: { readonly hex: string; readonly sizeBytes: number },
  note: (text: string) => void,
): Promise<Buffer> {
  for (let round = 0; round < 2; round += 1) {
    const bytes = world.store.read(want.hex)
    if (bytes) return bytes
    await fetchBlob(
      want,
      fetchOptions(world, note, () => {}),
    )
  }
  throw new ContentError(`sha256:${want.hex} does not stay readable on this disk`)
}

export function fetchOptions(
  world: World,
  note: (text: string) => void,
  progress: (bytes: number) => void,
): FetchOptions {
  return { store: world.store, sources: world.sources(), signal: world.signal, note, progress, stallMs: world.stallMs }
}
