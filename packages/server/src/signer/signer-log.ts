import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'

/**
 * The signer's own record of everything it ever signed: JSON lines, each with the hash of the line before it. A line is
 * on disk before the signature it tells of leaves the process, so no assignment exists that the record does not hold.
 */
export type LogBody =
  | { readonly kind: 'start'; readonly directorKeyId: string; readonly tornBytes: number }
  | { readonly kind: 'signed'; readonly signed: readonly SignedLine[] }
  | { readonly kind: 'published'; readonly files: readonly PublishedLine[] }

/** Device, generation, expiry, SHA-256 of the canonical signed part. */
export type SignedLine = readonly [device: string, generation: number, expires: string, sha256: string]

/** Name of a file of the repository and the SHA-256 of its bytes. */
export type PublishedLine = readonly [name: string, sha256: string]

export type LogEntry = LogBody & { readonly n: number; readonly at: string; readonly prev: string }

/** A place between two lines of the log. */
export interface LogHead {
  readonly entryCount: number
  readonly hash: string
  readonly sizeBytes: number
}

export const emptyLogHead: LogHead = { entryCount: 0, hash: '0'.repeat(64), sizeBytes: 0 }

export interface SignerLog extends Disposable {
  head(): LogHead
  /** Durable when it returns. Throws `LogUnwritable` when nothing was written; any other error ends the process. */
  append(body: LogBody, at: Temporal.Instant): void
}

export class LogUnwritable extends Error {}

/**
 * Opens the log and gives every entry after `from` to `onEntry`. A last line that a loss of power tore is cut off: it
 * was never answered. Damage anywhere else throws, because signing on over a gap would hide it.
 */
export function openSignerLog(path: string, from: LogHead, onEntry: (entry: LogEntry) => void) {
  const file = openSync(path, 'a+', 0o600)
  closeSync(file)
  const { head, tornBytes } = readSignerLog(path, from, onEntry)
  const writable = openSync(path, 'r+')
  if (tornBytes > 0) {
    ftruncateSync(writable, head.sizeBytes)
    fdatasyncSync(writable)
  }
  return { log: appendTo(writable, head), tornBytes }
}

/** Reads and checks the chain without changing anything. */
export function readSignerLog(
  path: string,
  from: LogHead,
  onEntry: (entry: LogEntry) => void,
): { head: LogHead; tornBytes: number } {
  const file = openSync(path, 'r')
  try {
    const sizeBytes = fstatSync(file).size
    if (sizeBytes < from.sizeBytes) throw new Error(`The log ${path} is shorter than when it was last closed`)
    let head = from
    for (const line of linesOf(file, from.sizeBytes, sizeBytes)) {
      if (isTorn(line, head.sizeBytes + line.length === sizeBytes)) break
      head = nextHead(path, head, line, onEntry)
    }
    return { head, tornBytes: sizeBytes - head.sizeBytes }
  } finally {
    closeSync(file)
  }
}

const lineHead = '{"body":'
const hashHead = ',"hash":"'
const lineTail = '"}\n'
const tailLength = hashHead.length + 64 + lineTail.length

function nextHead(path: string, head: LogHead, line: Buffer, onEntry: (entry: LogEntry) => void): LogHead {
  const body = line.subarray(lineHead.length, -tailLength)
  const hash = sha256Hex(body)
  const isWhole = line.toString('latin1', line.length - tailLength) === `${hashHead}${hash}${lineTail}`
  const entry = isWhole ? (JSON.parse(body.toString('utf8')) as LogEntry) : undefined
  if (entry?.prev !== head.hash || entry.n !== head.entryCount + 1) {
    throw new Error(`The log ${path} is damaged after line ${head.entryCount}: it does not continue its chain`)
  }
  onEntry(entry)
  return { entryCount: entry.n, hash, sizeBytes: head.sizeBytes + line.length }
}

/** Only the last line can be torn: it has no end, or it holds blocks that never reached the disk. */
function isTorn(line: Buffer, isLast: boolean): boolean {
  return isLast && (line.at(-1) !== 10 || line.includes(0))
}

function* linesOf(file: number, from: number, to: number): Generator<Buffer> {
  const chunk = Buffer.allocUnsafe(1024 * 1024)
  let parts: Buffer[] = []
  for (let at = from; at < to;) {
    const count = readSync(file, chunk, 0, Math.min(chunk.length, to - at), at)
    if (count === 0) break
    at += count
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1 && end < count; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...parts, chunk.subarray(start, end + 1)])
      parts = []
      start = end + 1
    }
    if (start < count) parts.push(Buffer.from(chunk.subarray(start, count)))
  }
  if (parts.length > 0) yield Buffer.concat(parts)
}

function appendTo(file: number, from: LogHead): SignerLog {
  let head = from
  return {
    head: () => head,
    append(body, at) {
      const text = canonicalJson({ ...body, n: head.entryCount + 1, at: at.toString(), prev: head.hash })
      const hash = sha256Hex(text)
      const line = Buffer.from(`${lineHead}${text}${hashHead}${hash}${lineTail}`, 'utf8')
      writeOrUndo(file, line, head.sizeBytes)
      // After a failed sync nobody knows what is on disk: the error passes through and ends the process.
      fdatasyncSync(file)
      head = { entryCount: head.entryCount + 1, hash, sizeBytes: head.sizeBytes + line.length }
    },
    [Symbol.dispose]() {
      closeSync(file)
    },
  }
}

function writeOrUndo(file: number, line: Buffer, at: number): void {
  try {
    for (let written = 0; written < line.length;) {
      written += writeSync(file, line, written, line.length - written, at + written)
    }
  } catch (cause) {
    ftruncateSync(file, at)
    throw new LogUnwritable(`Writing the signer's log: ${(cause as Error).message}`, { cause })
  }
}
