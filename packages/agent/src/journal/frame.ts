import { crc32 } from 'node:zlib'

/** One frame of a journal file: `len u32 | gen u32 | crc32(gen + payload) u32 | payload`, little endian. */
export const headerBytes = 12

export function encodeFrame(generation: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(headerBytes + payload.length)
  frame.writeUInt32LE(payload.length, 0)
  frame.writeUInt32LE(generation, 4)
  frame.set(payload, headerBytes)
  frame.writeUInt32LE(checksum(frame, 0, payload.length), 8)
  return frame
}

/** What a journal file holds. `corruptAt` is set when good frames of the same generation follow a damaged one. */
export interface FileContent {
  readonly generation: number
  readonly payloads: Buffer[]
  readonly endBytes: number
  readonly corruptAt: number | null
}

/**
 * Reads the frames of one file. A damaged frame with nothing good behind it is the torn end of the last append and is
 * simply the end; a damaged frame in front of good ones means that history was lost, which is never passed over.
 */
export function readFrames(file: Buffer): FileContent {
  const first = frameAt(file, 0)
  if (!first) {
    const later = findFrame(file, 1, null)
    return { generation: later?.generation ?? 0, payloads: [], endBytes: 0, corruptAt: later ? 0 : null }
  }
  const payloads: Buffer[] = []
  let offset = 0
  for (let frame = frameAt(file, 0); frame?.generation === first.generation; frame = frameAt(file, offset)) {
    payloads.push(frame.payload)
    offset += headerBytes + frame.payload.length
  }
  const lost = findFrame(file, offset + 1, first.generation) !== null
  return { generation: first.generation, payloads, endBytes: offset, corruptAt: lost ? offset : null }
}

interface Frame {
  readonly generation: number
  readonly payload: Buffer
}

function frameAt(file: Buffer, offset: number): Frame | null {
  if (offset + headerBytes > file.length) return null
  const length = file.readUInt32LE(offset)
  const generation = file.readUInt32LE(offset + 4)
  if (length === 0 || generation === 0 || offset + headerBytes + length > file.length) return null
  if (file.readUInt32LE(offset + 8) !== checksum(file, offset, length)) return null
  return { generation, payload: file.subarray(offset + headerBytes, offset + headerBytes + length) }
}

/**
 * The next good frame at or behind `from`, of one generation or (null) of any. Frames of an older generation that a
 * compaction did not overwrite are not looked for: they are not history any more.
 */
function findFrame(file: Buffer, from: number, generation: number | null): Frame | null {
  const wanted = generation === null ? null : Buffer.alloc(4)
  if (wanted && generation !== null) wanted.writeUInt32LE(generation)
  for (let offset = from; offset + headerBytes <= file.length; offset += 1) {
    if (wanted) {
      const at = file.indexOf(wanted, offset + 4)
      if (at === -1) return null
      offset = at - 4
    }
    const frame = frameAt(file, offset)
    if (frame) return frame
  }
  return null
}

function checksum(buffer: Buffer, offset: number, length: number): number {
  const generation = buffer.subarray(offset + 4, offset + 8)
  return crc32(buffer.subarray(offset + headerBytes, offset + headerBytes + length), crc32(generation))
}
