import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Transform, Writable } from 'node:stream'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface Measure {
  readonly sizeBytes: number
  readonly sha256: string
}

const fileMode = 0o600

/** Writes a stream to a new file, durable when this resolves, and says what was written. */
export async function saveStream(source: Readable, to: string, mode = fileMode): Promise<Measure> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 })
  const meter = new Meter()
  await pipeline(source, meter, createWriteStream(to, { flags: 'wx', mode, flush: true }))
  return meter.measure()
}

/** Only reads: the same measure as of a copy. */
export async function measureStream(source: Readable): Promise<Measure> {
  const meter = new Meter()
  await pipeline(source, meter, new Writable({ write: (_chunk, _encoding, done) => done() }))
  return meter.measure()
}

export async function copyFile(from: string, to: string, mode = fileMode): Promise<Measure> {
  return await saveStream(createReadStream(from, { highWaterMark: 256 * 1024 }), to, mode)
}

export async function measureFile(path: string): Promise<Measure> {
  return await measureStream(createReadStream(path, { highWaterMark: 256 * 1024 }))
}

/** Lets bytes pass and remembers how many and which. */
class Meter extends Transform {
  readonly #hash: Hash = createHash('sha256')
  #sizeBytes = 0

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error: Error | null, chunk: Buffer) => void,
  ): void {
    this.#hash.update(chunk)
    this.#sizeBytes += chunk.length
    done(null, chunk)
  }

  measure(): Measure {
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex') }
  }
}
