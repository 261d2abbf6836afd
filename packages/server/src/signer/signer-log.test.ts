import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readCheckpoint, rememberEntry, writeCheckpoint } from './signed-memory.ts'
import { type LogEntry, type SignedLine, emptyLogHead, openSignerLog, readSignerLog } from './signer-log.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00Z')
let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bascule-log-'))
  path = join(folder, 'log.jsonl')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

test('what was appended is read back in a chain, and the log goes on after it', () => {
  expect(append(signed(1), signed(2))).toBe(2)
  expect(append(signed(3))).toBe(3)
  const entries = read()
  expect(entries.map((entry) => entry.n)).toEqual([1, 2, 3])
  expect(entries[0]?.prev).toBe(emptyLogHead.hash)
})

test('entries larger than the reader’s portion come back whole', () => {
  const many = Array.from({ length: 9000 }, (_none, n) => line(String(n).padStart(64, '0'), 1))
  append({ kind: 'signed', signed: many }, signed(1))
  expect(read().map((entry) => (entry.kind === 'signed' ? entry.signed.length : 0))).toEqual([9000, 1])
})

test('a last line torn at any byte is cut off, and the log goes on', () => {
  append(signed(1), signed(2))
  const whole = readFileSync(path)
  const secondAt = whole.indexOf(10) + 1
  for (let size = secondAt; size < whole.length; size += 7) {
    writeFileSync(path, whole.subarray(0, size))
    expect(append(signed(3))).toBe(2)
    expect(generations()).toEqual([1, 3])
  }
})

test('blocks that never reached the disk are cut off', () => {
  append(signed(1))
  appendFileSync(path, Buffer.concat([Buffer.from('{"body":'), Buffer.alloc(400), Buffer.from('\n')]))
  expect(append(signed(2))).toBe(2)
  expect(generations()).toEqual([1, 2])
})

test.each([
  ['a changed character', (text: string) => text.replace('"n":1', '"n":7')],
  ['a line left out', (text: string) => text.slice(text.indexOf('\n') + 1)],
  ['a line twice', (text: string) => text.slice(0, text.indexOf('\n') + 1) + text],
  ['a changed last line', (text: string) => text.replace('"n":2', '"n":3')],
])('%s is damage and not a torn line', (_name, change) => {
  append(signed(1), signed(2))
  writeFileSync(path, change(readFileSync(path, 'utf8')))
  expect(() => append(signed(3))).toThrow('damaged')
})

test('a log whose generations fall is not ours', () => {
  append(signed(2), signed(1))
  expect(() =>
    read().forEach((entry) => rememberEntry(new Map([[device, { generation: 2, sha256: '' }]]), entry)),
  ).toThrow('generation')
})

test('a checkpoint spares reading, and a log shorter than it is refused', () => {
  append(signed(1))
  const { head } = readSignerLog(path, emptyLogHead, () => undefined)
  const lastByDevice = new Map([[device, { generation: 1, sha256: 'b'.repeat(64) }]])
  writeCheckpoint(join(folder, 'generations'), { lastByDevice, head })
  append(signed(2))

  const memory = readCheckpoint(join(folder, 'generations'))
  expect(memory.lastByDevice).toEqual(lastByDevice)
  const later: LogEntry[] = []
  readSignerLog(path, memory.head, (entry) => later.push(entry))
  expect(later.map((entry) => entry.n)).toEqual([2])

  truncateSync(path, head.sizeBytes - 1)
  expect(() => readSignerLog(path, memory.head, () => undefined)).toThrow('shorter')
})

const device = 'd'.repeat(64)

function line(of: string, generation: number): SignedLine {
  return [of, generation, '2026-11-30T08:00:00Z', 'b'.repeat(64)]
}

function signed(generation: number) {
  return { kind: 'signed', signed: [line(device, generation)] } as const
}

function append(...bodies: readonly { kind: 'signed'; signed: readonly SignedLine[] }[]): number {
  const { log } = openSignerLog(path, emptyLogHead, () => undefined)
  try {
    for (const body of bodies) log.append(body, now)
    return log.head().entryCount
  } finally {
    log[Symbol.dispose]()
  }
}

function read(): readonly LogEntry[] {
  const entries: LogEntry[] = []
  readSignerLog(path, emptyLogHead, (entry) => entries.push(entry))
  return entries
}

function generations(): readonly number[] {
  return read().flatMap((entry) => (entry.kind === 'signed' ? entry.signed.map((one) => one[1]) : []))
}
