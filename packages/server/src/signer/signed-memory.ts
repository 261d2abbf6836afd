import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { type LogEntry, type LogHead, emptyLogHead } from './signer-log.ts'

/** What the signer last signed for a device. */
export interface LastSigned {
  readonly generation: number
  /** SHA-256 of the canonical signed part: the same content may be signed again, another may not. */
  readonly sha256: string
}

/**
 * The newest generation of every device. It follows from the log; the checkpoint file only spares reading the whole
 * log at each start. Because it lies with the signer, a server that was restored or taken over cannot go back.
 */
export interface SignedMemory {
  readonly lastByDevice: Map<string, LastSigned>
  /** Up to where the log is contained. */
  readonly head: LogHead
}

export function readCheckpoint(path: string): SignedMemory {
  if (!existsSync(path)) return { lastByDevice: new Map(), head: emptyLogHead }
  const [first = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
  const { deviceCount, ...head } = JSON.parse(first) as LogHead & { deviceCount: number }
  if (lines.length !== deviceCount) throw new Error(`The checkpoint ${path} is damaged: it is not complete`)
  const lastByDevice = new Map(
    lines.map((line) => {
      const [device = '', generation = '', sha256 = ''] = line.split(' ')
      return [device, { generation: Number(generation), sha256 }]
    }),
  )
  return { lastByDevice, head }
}

/** Old or new checkpoint, never a mixture, whenever the power goes. */
export function writeCheckpoint(path: string, { lastByDevice, head }: SignedMemory): void {
  const draft = `${path}.new`
  const file = openSync(draft, 'w', 0o600)
  try {
    writeAll(file, `${JSON.stringify({ ...head, deviceCount: lastByDevice.size })}\n`)
    for (const lines of linesInPortions(lastByDevice)) writeAll(file, lines)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
  syncFolder(dirname(path))
}

/** Takes over what an entry of the log says. A generation that does not rise means the log is not ours. */
export function rememberEntry(lastByDevice: Map<string, LastSigned>, entry: LogEntry): void {
  if (entry.kind !== 'signed') return
  for (const [device, generation, , sha256] of entry.signed) {
    const last = lastByDevice.get(device)?.generation ?? 0
    if (generation <= last) throw new Error(`Entry ${entry.n} of the log lets the generation of ${device} fall`)
    lastByDevice.set(device, { generation, sha256 })
  }
}

function* linesInPortions(lastByDevice: ReadonlyMap<string, LastSigned>): Generator<string> {
  let portion = ''
  for (const [device, { generation, sha256 }] of lastByDevice) {
    portion += `${device} ${generation} ${sha256}\n`
    if (portion.length < 1024 * 1024) continue
    yield portion
    portion = ''
  }
  yield portion
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8')
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written)
}

function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
