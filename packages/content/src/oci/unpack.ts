import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PackageFile, PackageLink } from '@bascule/contract/estate/oci.ts'
import { problemOfTreePath, resolveLink } from '@bascule/domain/estate/package/tree-path.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { extract, type Header } from 'tar-stream'
import type { PackageProblem } from './package-problem.ts'

/** What the config says the layer of one module holds. */
export interface ExpectedLayer {
  readonly module: string
  readonly sizeBytes: number
  readonly files: readonly PackageFile[]
  readonly links: readonly PackageLink[]
}

/**
 * Where the content goes. All calls are synchronous and in order, one file at a time, so that whoever writes durably
 * decides himself what is on disk when. What a call throws ends the unpacking and comes out unchanged.
 */
export interface LayerWriter {
  beginFile(file: PackageFile): void
  write(bytes: Uint8Array): void
  /** Called only when length and SHA-256 of the file are right. */
  endFile(file: PackageFile): void
  link(link: PackageLink): void
}

/**
 * Unpacks one layer. Only what the config lists reaches the writer: no absolute path, no `..`, no link out of the
 * tree, no device, no file more, less, twice or with other bytes, and never more bytes than declared.
 */
export async function unpackLayer(
  tar: AsyncIterable<Uint8Array>,
  expected: ExpectedLayer,
  writer: LayerWriter,
): Promise<Result<undefined, PackageProblem>> {
  const left = new Map<string, PackageFile | PackageLink>()
  for (const entry of [...expected.files, ...expected.links]) {
    const problem = problemOfExpected(expected.module, entry)
    if (problem) return refuse(problem)
    left.set(entry.path, entry)
  }

  const source = boundedSource(tar, expected.sizeBytes)
  const entries = extract()
  const feeding = pipeline(Readable.from(source.bytes(), { objectMode: false }), entries).then(
    () => undefined,
    (cause: unknown) => cause,
  )
  const broken = { rule: 'file-list' as const, field: expected.module }
  try {
    for await (const entry of entries) {
      const problem = await takeEntry(entry.header, entry as AsyncIterable<Buffer>, expected.module, left, writer)
      if (problem) return refuse(problem)
    }
  } catch (cause) {
    if (source.isTooLong()) return refuse({ ...broken, rule: 'over-size', problem: 'has more bytes than declared' })
    entries.destroy()
    const message = brokenArchive(cause) ?? brokenArchive(await feeding)
    if (source.failure() !== undefined || message === undefined) throw cause
    return refuse({ ...broken, problem: `is not a tar: ${message}` })
  } finally {
    entries.destroy()
    await feeding
  }
  const [missing] = left.keys()
  return missing === undefined
    ? ok(undefined)
    : refuse({ rule: 'file-list', field: `${expected.module}/${missing}`, problem: 'is listed but not in the layer' })
}

function problemOfExpected(module: string, entry: PackageFile | PackageLink): PackageProblem | undefined {
  const field = `${module}/${entry.path}`
  const stray = problemOfTreePath(entry.path)
  if (stray !== undefined) return { rule: 'path-escape', field, problem: stray }
  if ('target' in entry && resolveLink(entry.path, entry.target) === undefined) {
    return { rule: 'link-escape', field, problem: `is a link to ${entry.target}, outside the tree` }
  }
  return undefined
}

async function takeEntry(
  header: Header,
  content: AsyncIterable<Buffer>,
  module: string,
  left: Map<string, PackageFile | PackageLink>,
  writer: LayerWriter,
): Promise<PackageProblem | undefined> {
  const { name, type, linkname, size } = header
  const field = `${module}/${name}`
  const wanted = left.get(name)
  const stray = problemOfTreePath(name)
  if (stray !== undefined) return { rule: 'path-escape', field, problem: stray }
  if (type !== 'file' && type !== 'symlink') {
    return { rule: 'special-file', field, problem: `is a ${type}, not a file or link` }
  }
  if (!wanted) return { rule: 'file-list', field, problem: 'is in the layer but not in the list of files, or twice' }
  left.delete(name)
  if ('target' in wanted) {
    if (type !== 'symlink' || linkname !== wanted.target) {
      return { rule: 'file-list', field, problem: `is not a link to ${wanted.target}` }
    }
    for await (const _nothing of content) continue
    writer.link(wanted)
    return undefined
  }
  if (type !== 'file') return { rule: 'file-list', field, problem: 'is a link, but listed as a file' }
  if (size !== wanted.sizeBytes) {
    return { rule: 'size-mismatch', field, problem: `has ${size} bytes instead of ${wanted.sizeBytes}` }
  }
  return await takeFile(content, wanted, field, writer)
}

async function takeFile(
  content: AsyncIterable<Buffer>,
  wanted: PackageFile,
  field: string,
  writer: LayerWriter,
): Promise<PackageProblem | undefined> {
  const digest = createHash('sha256')
  writer.beginFile(wanted)
  for await (const bytes of content) {
    digest.update(bytes)
    writer.write(bytes)
  }
  if (digest.digest('hex') !== wanted.sha256) {
    return { rule: 'digest-mismatch', field, problem: 'has other bytes than the list of files says' }
  }
  writer.endFile(wanted)
  return undefined
}

/** The bytes of the tar, and what became of them: too many, or a failure of whoever brings them. */
function boundedSource(tar: AsyncIterable<Uint8Array>, limitBytes: number) {
  let seen = 0
  let failure: unknown
  async function* bytes(): AsyncGenerator<Uint8Array> {
    try {
      for await (const part of tar) {
        seen += part.length
        if (seen > limitBytes) throw new Error('more bytes than declared')
        yield part
      }
    } catch (cause) {
      failure = cause
      throw cause
    }
  }
  return { bytes, isTooLong: () => seen > limitBytes, failure: () => failure }
}

const archiveFailures = /^(Invalid (tar )?header|Header exceeds|Unexpected end of data|Size mismatch)/

/** What tar-stream says about a broken archive; undefined for every other failure, such as of a disk. */
export function brokenArchive(cause: unknown): string | undefined {
  return cause instanceof Error && archiveFailures.test(cause.message) ? cause.message : undefined
}
