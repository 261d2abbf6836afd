import { createHash } from 'node:crypto'
import { pieceSizeBytes } from '@bascule/contract/estate/oci.ts'

export interface PieceHasher {
  update(bytes: Uint8Array): void
  finish(): string[]
}

/** SHA-256 of every piece of `pieceSizeBytes`; the last one may be shorter. */
export function createPieceHasher(): PieceHasher {
  const list: string[] = []
  let length = 0
  let digest = createHash('sha256')

  function cut(): void {
    list.push(digest.digest('hex'))
    length = 0
    digest = createHash('sha256')
  }

  function update(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const part = bytes.subarray(from, from + pieceSizeBytes - length)
      digest.update(part)
      length += part.length
      from += part.length
      if (length === pieceSizeBytes) cut()
    }
  }

  function finish(): string[] {
    if (length > 0) cut()
    return list
  }

  return { update, finish }
}
