import type { Journal } from '#/journal/journal.ts'

/** Sequence numbers of signed requests: each one is used once in the life of the device key. */
export interface RequestSeq {
  next(): number
  /** The server has seen a higher one than we remember: jump above everything we can have used. */
  jump(): void
}

const blockSize = 64

/** Reserved in blocks: a block is durable before its first number is used, so an idle device rarely writes. */
export function createRequestSeq(journal: Journal): RequestSeq {
  let last = journal.state.requestSeq
  return {
    next() {
      // When nothing can be made durable, seconds since 1970 stand in: they rise without anybody remembering them.
      if (journal.blind !== null) last = Math.max(last, unixSeconds())
      last += 1
      if (last > journal.state.requestSeq) journal.append({ t: 'seq', upTo: last + blockSize - 1 })
      return last
    },
    jump() {
      last = Math.max(last, unixSeconds())
    },
  }
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
