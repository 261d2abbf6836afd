import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { extract, pack, type Pack } from 'tar-stream'
import { byPath } from './collect-module.ts'
import { blobPath, layoutMarker, prepareLayout, readLayout, writeBlobStream } from './layout.ts'
import type { PackageProblem } from './package-problem.ts'
import { brokenArchive } from './unpack.ts'

/**
 * Writes the package of a layout as one tar, the file that a browser uploads: `oci-layout` and `index.json` first,
 * then the blobs by digest. The same package gives the same bytes; what else lies in the layout stays out.
 */
export async function writeLayoutTar(layout: string, out: string): Promise<Result<undefined, PackageProblem[]>> {
  const content = await readLayout(layout)
  if (!content.ok) return content
  const { index, manifests, blobs } = content.value
  const entries = [index, ...manifests, ...blobs].map(({ digest, size }) => ({
    path: `blobs/${digest.replace(':', '/')}`,
    source: blobPath(layout, digest),
    size,
  }))
  const tar = pack()
  const part = `${out}.part`
  try {
    await Promise.all([
      pipeline(tar, createWriteStream(part)),
      addAll(tar, await readFile(join(layout, 'index.json')), entries.toSorted(byPath)),
    ])
    await rename(part, out)
  } catch (cause) {
    await rm(part, { force: true })
    throw new Error(`Writing ${out}: ${(cause as Error).message}`, { cause })
  }
  return ok(undefined)
}

async function addAll(
  tar: Pack,
  indexJson: Buffer,
  entries: readonly { readonly path: string; readonly source: string; readonly size: number }[],
): Promise<void> {
  const header = (name: string, size: number) => ({ name, size, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) })
  tar.entry(header('oci-layout', layoutMarker.length), layoutMarker)
  tar.entry(header('index.json', indexJson.length), indexJson)
  for (const { path, source, size } of entries) {
    await pipeline(createReadStream(source, { highWaterMark: 262_144 }), tar.entry(header(path, size)))
  }
  tar.finalize()
}

const blobName = /^blobs\/sha256\/(?<hex>[0-9a-f]{64})$/
const smallLimitBytes = 1_000_000

/** What a tar of a layout holds, one thing after the other. `blob` must be read to its end before the next. */
export interface LayoutTarTaker {
  /** `hex` is what the name claims; whoever takes the bytes checks it. Returns what is wrong, or nothing. */
  blob(hex: string, sizeBytes: number, bytes: AsyncIterable<Uint8Array>): Promise<PackageProblem | undefined>
}

/**
 * Reads such a tar as a stream, without ever having the whole. Folders are passed over; every other name than those
 * of a layout is refused. Gives the text of `index.json`.
 */
export async function readLayoutTar(
  source: AsyncIterable<Uint8Array>,
  taker: LayoutTarTaker,
): Promise<Result<string, PackageProblem>> {
  const entries = extract()
  const feeding = pipeline(source, entries).then(
    () => undefined,
    (cause: unknown) => cause,
  )
  let index: string | undefined
  try {
    for await (const entry of entries) {
      const { name, type, size } = entry.header
      const content = entry as AsyncIterable<Buffer>
      const hex = blobName.exec(name)?.groups?.['hex']
      if (type === 'directory') {
        for await (const _nothing of entry) continue
      } else if (type !== 'file') {
        return refuse({ rule: 'special-file', field: name, problem: `is a ${type}, not a file` })
      } else if (hex !== undefined) {
        const problem = await taker.blob(hex, size, content)
        if (problem) return refuse(problem)
      } else if (name === 'index.json' || name === 'oci-layout') {
        if (size > smallLimitBytes) return refuse({ rule: 'over-size', field: name, problem: 'is too large' })
        const text = Buffer.concat(await Array.fromAsync(content)).toString('utf8')
        if (name === 'index.json') index = text
      } else {
        return refuse({ rule: 'not-a-layout', field: name, problem: 'does not belong into an OCI layout' })
      }
    }
  } catch (cause) {
    entries.destroy()
    const broken = brokenArchive(cause) ?? brokenArchive(await feeding)
    if (broken === undefined) throw cause
    return refuse({ rule: 'not-a-layout', field: 'tar', problem: `is not a whole tar: ${broken}` })
  } finally {
    entries.destroy()
    await feeding
  }
  if (index === undefined) return refuse({ rule: 'not-a-layout', field: 'index.json', problem: 'is missing' })
  return ok(index)
}

/** Unfolds such a tar into a layout folder. Every blob is compared with its name. */
export async function unfoldLayoutTar(tarFile: string, layout: string): Promise<Result<undefined, PackageProblem[]>> {
  await prepareLayout(layout)
  const outcome = await readLayoutTar(createReadStream(tarFile, { highWaterMark: 262_144 }), {
    async blob(hex, _sizeBytes, bytes) {
      const ref = await writeBlobStream(layout, '', bytes)
      if (ref.digest === `sha256:${hex}`) return undefined
      return { rule: 'digest-mismatch', field: `blobs/sha256/${hex}`, problem: 'has other bytes than its name says' }
    },
  })
  if (!outcome.ok) return refuse([outcome.error])
  await writeFile(join(layout, 'index.json'), outcome.value)
  return ok(undefined)
}
