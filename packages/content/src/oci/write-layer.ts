import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { mediaTypes, pieceSizeBytes, type PackageFile, type PackageLayer } from '@bascule/contract/estate/oci.ts'
import { pack, type Pack } from 'tar-stream'
import { createChunker } from './chunker.ts'
import { byPath, type SourceFile, type SourceModule } from './collect-module.ts'
import { writeBlobStream } from './layout.ts'
import { createPieceHasher } from './piece-hasher.ts'

export interface WrittenLayer {
  readonly layer: PackageLayer
  readonly files: readonly PackageFile[]
}

/**
 * Writes a module as an uncompressed tar into the layout and measures everything about it in the same pass. Headers
 * carry nothing of this machine: no owner, no time, one of two modes; so the same files give the same digest.
 */
export async function writeLayer(layout: string, module: SourceModule): Promise<WrittenLayer> {
  const tar = pack()
  const chunker = createChunker()
  const pieces = createPieceHasher()
  const writing = writeBlobStream(layout, mediaTypes.layer, tar as AsyncIterable<Buffer>, (bytes) => {
    chunker.update(bytes)
    pieces.update(bytes)
  })
  const [files, blob] = await Promise.all([addEntries(tar, module), writing])
  return {
    files,
    layer: {
      module: module.name,
      digest: blob.digest,
      sizeBytes: blob.size,
      chunks: { algorithm: 'fastcdc-16k-64k-256k-v1', list: chunker.finish() },
      pieces: { sizeBytes: pieceSizeBytes, sha256: pieces.finish() },
    },
  }
}

async function addEntries(tar: Pack, module: SourceModule): Promise<PackageFile[]> {
  const files: PackageFile[] = []
  try {
    for (const entry of [...module.files, ...module.links].toSorted(byPath)) {
      if ('target' in entry) {
        tar.entry({ ...header(entry.path, 0o777), type: 'symlink', linkname: entry.target })
      } else {
        files.push({
          module: module.name,
          path: entry.path,
          mode: entry.mode,
          sizeBytes: entry.sizeBytes,
          sha256: await addFile(tar, entry),
        })
      }
    }
    tar.finalize()
  } catch (cause) {
    tar.destroy(cause as Error)
    throw new Error(`Packing module ${module.name}: ${(cause as Error).message}`, { cause })
  }
  return files
}

/** Adds one file and returns its SHA-256. A file that changes its length meanwhile fails the whole pack. */
async function addFile(tar: Pack, file: SourceFile): Promise<string> {
  const digest = createHash('sha256')
  const hashing = new Transform({
    transform(bytes: Buffer, _encoding, done) {
      digest.update(bytes)
      done(null, bytes)
    },
  })
  const entry = tar.entry({ ...header(file.path, file.mode), type: 'file', size: file.sizeBytes })
  await pipeline(createReadStream(file.source, { highWaterMark: 262_144 }), hashing, entry)
  return digest.digest('hex')
}

function header(name: string, mode: number) {
  return { name, mode, uid: 0, gid: 0, mtime: new Date(0) }
}
