import { createHash } from 'node:crypto'
import { readSync } from 'node:fs'
import { close, openToRead } from '#/durable.ts'

const pieceBytes = 262_144

/** SHA-256 of a file, hex, read in pieces so that memory stays small. */
export function hashFile(file: string): string {
  const digest = createHash('sha256')
  for (const bytes of readPieces(file)) digest.update(bytes)
  return digest.digest('hex')
}

/** A file as a stream of pieces; each piece is only valid until the next one is asked for. */
export async function* piecesOf(file: string): AsyncGenerator<Buffer> {
  // The reader of a tar keeps pieces for a while, so each one needs bytes of its own.
  for (const bytes of readPieces(file)) yield Buffer.from(bytes)
}

function* readPieces(file: string): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(pieceBytes)
  const fd = openToRead(file)
  try {
    for (let position = 0; ;) {
      const count = readSync(fd, buffer, 0, buffer.length, position)
      if (count === 0) return
      position += count
      yield buffer.subarray(0, count)
    }
  } finally {
    close(fd)
  }
}
