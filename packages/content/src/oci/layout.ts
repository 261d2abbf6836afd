import { createHash, hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { annotationNames, limits, mediaTypes, PackageIndex, PackageManifest } from '@bascule/contract/estate/oci.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import * as z from 'zod'
import type { PackageProblem } from './package-problem.ts'

/** The marker file of an OCI image layout, byte for byte. */
export const layoutMarker = '{"imageLayoutVersion":"1.0.0"}'

export interface BlobRef {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** A version as it lies in a layout: its index, and all blobs in the order in which they are uploaded. */
export interface LayoutPackage {
  readonly name: string
  readonly version: string
  readonly index: BlobRef
  readonly manifests: readonly BlobRef[]
  readonly blobs: readonly BlobRef[]
}

export function blobPath(layout: string, digest: string): string {
  return join(layout, 'blobs', ...digest.split(':'))
}

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${hash('sha256', bytes)}`
}

export async function prepareLayout(layout: string): Promise<void> {
  await mkdir(join(layout, 'blobs', 'sha256'), { recursive: true })
  await writeFile(join(layout, 'oci-layout'), layoutMarker)
}

/** Stores small bytes under their digest. */
export async function writeJsonBlob(layout: string, mediaType: string, value: unknown): Promise<BlobRef> {
  return await writeTextBlob(layout, mediaType, JSON.stringify(value))
}

export async function writeTextBlob(layout: string, mediaType: string, text: string): Promise<BlobRef> {
  const bytes = Buffer.from(text)
  const digest = digestOf(bytes)
  await writeFile(blobPath(layout, digest), bytes)
  return { mediaType, digest, size: bytes.length }
}

/** Stores a stream under its digest; `onBytes` sees every byte once, in order. */
export async function writeBlobStream(
  layout: string,
  mediaType: string,
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: Uint8Array) => void = () => {},
): Promise<BlobRef> {
  const part = join(layout, 'blobs', `part-${process.pid}`)
  const digest = createHash('sha256')
  let size = 0
  try {
    await using file = await open(part, 'w')
    for await (const bytes of source) {
      digest.update(bytes)
      onBytes(bytes)
      size += bytes.length
      await file.writeFile(bytes)
    }
  } catch (cause) {
    await rm(part, { force: true })
    throw cause
  }
  const ref = { mediaType, digest: `sha256:${digest.digest('hex')}`, size }
  await rename(part, blobPath(layout, ref.digest))
  return ref
}

/** Makes `index` the one thing this layout holds, under its version as reference name. */
export async function writeLayoutIndex(layout: string, index: BlobRef, name: string, version: string): Promise<void> {
  const entry = {
    mediaType: index.mediaType,
    digest: index.digest,
    size: index.size,
    annotations: { [annotationNames.title]: name, [annotationNames.ref]: version },
  }
  const text = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [entry] })
  const part = join(layout, 'index.json.part')
  await writeFile(part, text)
  await rename(part, join(layout, 'index.json'))
}

const LayoutIndex = z.object({
  manifests: z
    .array(
      z.object({
        mediaType: z.string(),
        digest: PackageIndex.shape.manifests.element.shape.digest,
        size: z.int().min(1).max(limits.indexBytes),
      }),
    )
    .length(1, 'must hold exactly one package'),
})

/** Finds the package of a layout and everything that belongs to it. Sizes on disk are compared, content is not. */
export async function readLayout(layout: string): Promise<Result<LayoutPackage, PackageProblem[]>> {
  const text = await readText(join(layout, 'index.json'), 'index.json')
  const top = text.ok ? parseLayoutIndex(text.value) : text
  if (!top.ok) return top
  const entry = top.value
  const index = await readJson(blobPath(layout, entry.digest), entry.digest, PackageIndex)
  if (!index.ok) return index

  const blobs = new Map<string, BlobRef>()
  for (const descriptor of index.value.manifests) {
    const manifest = await readJson(blobPath(layout, descriptor.digest), descriptor.digest, PackageManifest)
    if (!manifest.ok) return manifest
    for (const ref of [manifest.value.config, ...manifest.value.layers]) blobs.set(ref.digest, plainRef(ref))
  }
  const problems = await Promise.all([...blobs.values()].map(async (ref) => await problemOfBlob(layout, ref)))
  const first = problems.find((problem) => problem !== undefined)
  if (first) return refuse([first])

  const named = index.value.annotations ?? {}
  return ok({
    name: named[annotationNames.title] ?? '',
    version: named[annotationNames.version] ?? '',
    index: plainRef(entry),
    manifests: index.value.manifests.map(plainRef),
    blobs: [...blobs.values()],
  })
}

export function openLayoutBlob(layout: string, digest: string, start = 0): AsyncIterable<Buffer> {
  return createReadStream(blobPath(layout, digest), { start, highWaterMark: 262_144 })
}

/** The package that the `index.json` of a layout names. */
export function parseLayoutIndex(text: string): Result<BlobRef, PackageProblem[]> {
  const parsed = parseJson(text, 'index.json', LayoutIndex)
  if (!parsed.ok) return parsed
  const [entry] = parsed.value.manifests
  if (entry?.mediaType === mediaTypes.index) return ok(plainRef(entry))
  return refuse([{ rule: 'media-type', field: 'index.json manifests.0.mediaType', problem: 'is not an image index' }])
}

async function readJson<Schema extends z.ZodType>(
  path: string,
  field: string,
  schema: Schema,
): Promise<Result<z.infer<Schema>, PackageProblem[]>> {
  const text = await readText(path, field)
  return text.ok ? parseJson(text.value, field, schema) : text
}

async function readText(path: string, field: string): Promise<Result<string, PackageProblem[]>> {
  try {
    return ok(await readFile(path, 'utf8'))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw new Error(`Reading ${field}: ${String(cause)}`, { cause })
    return refuse([{ rule: field === 'index.json' ? 'not-a-layout' : 'missing-blob', field, problem: 'is missing' }])
  }
}

/** JSON that a stranger wrote, as a value of the schema or as problems with their place. */
export function parseJson<Schema extends z.ZodType>(
  text: string,
  field: string,
  schema: Schema,
): Result<z.infer<Schema>, PackageProblem[]> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    return refuse([{ rule: 'broken-json', field, problem: `is not JSON: ${(cause as Error).message}` }])
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return ok(parsed.data)
  return refuse(
    parsed.error.issues.slice(0, 20).map((issue) => {
      const path = issue.path.map(String).join('.')
      const isMediaType = /mediaType$|artifactType$/.test(path)
      return { rule: isMediaType ? 'media-type' : 'invalid-field', field: `${field} ${path}`, problem: issue.message }
    }),
  )
}

function plainRef({ mediaType, digest, size }: BlobRef): BlobRef {
  return { mediaType, digest, size }
}

async function problemOfBlob(layout: string, ref: BlobRef): Promise<PackageProblem | undefined> {
  const found = await stat(blobPath(layout, ref.digest)).catch(() => undefined)
  if (!found) return { rule: 'missing-blob', field: ref.digest, problem: 'is missing' }
  if (found.size === ref.size) return undefined
  return { rule: 'size-mismatch', field: ref.digest, problem: `has ${found.size} bytes instead of ${ref.size}` }
}
