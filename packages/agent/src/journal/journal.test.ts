import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { encodeFrame, headerBytes, readFrames } from './frame.ts'
import { openJournal, readJournal } from './journal.ts'
import type { JournalRecord } from './state.ts'

function aFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'bascule-journal-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

function seq(upTo: number): JournalRecord {
  return { t: 'seq', upTo }
}

function report(number: number, text = ''): JournalRecord {
  const at = '2026-01-01T00:00:00Z'
  return { t: 'report', report: { seq: number, job: '1', at, step: 'rolling-back', notes: [text] } }
}

const small = 8192

test('what was appended is there again, across compactions', () => {
  const folder = aFolder()
  const { journal, found } = openJournal(folder, small)
  expect(found).toBe('new')
  for (let number = 1; number <= 300; number += 1) {
    journal.append(report(number), { t: 'heard', epoch: 'e', acked: number })
  }
  journal.close()
  const again = openJournal(folder, small)
  expect(again.found).toBe('good')
  expect(again.journal.state).toEqual(journal.state)
  expect(again.journal.state.reportHigh).toBe(300)
  expect(readJournal(folder)).toEqual(journal.state)
})

test('reports nobody acknowledged survive every compaction, acknowledged ones give way', () => {
  const folder = aFolder()
  const { journal } = openJournal(folder, 20_000)
  for (let number = 1; number <= 400; number += 1) {
    journal.append(report(number, 'x'.repeat(100)))
    if (number <= 380) journal.append({ t: 'heard', epoch: 'e', acked: number })
  }
  const kept = openJournal(folder, 20_000).journal.state.reports.map((entry) => entry.seq)
  expect(kept.slice(-20)).toEqual(Array.from({ length: 20 }, (_none, index) => 381 + index))
  expect(kept).toEqual(kept.toSorted((a, b) => a - b))
})

/** A journal of five records, as bytes of the file that is in use. */
function fiveRecords(): { folder: string; file: string; bytes: Buffer; endBytes: number } {
  const folder = aFolder()
  const { journal } = openJournal(folder, small)
  for (let number = 1; number <= 5; number += 1) journal.append(seq(number))
  journal.close()
  const file = path.join(folder, 'journal-b')
  const bytes = readFileSync(file)
  return { folder, file, bytes, endBytes: readFrames(bytes).endBytes }
}

test('torn at any byte of the last record, the journal is the one before it', () => {
  const { folder, file, bytes, endBytes } = fiveRecords()
  const last = encodeFrame(1, Buffer.from(JSON.stringify([seq(5)]))).length
  for (let cut = endBytes - last; cut < endBytes; cut += 1) {
    const torn = Buffer.from(bytes)
    torn.fill(0, cut)
    writeFileSync(file, torn)
    expect(readJournal(folder)?.requestSeq).toBe(cut === endBytes ? 5 : 4)
  }
})

test('one flipped byte anywhere is either the torn end or noticed: history is never silently another one', () => {
  const { folder, file, bytes, endBytes } = fiveRecords()
  const last = endBytes - encodeFrame(1, Buffer.from(JSON.stringify([seq(5)]))).length
  for (let at = 0; at < endBytes; at += 1) {
    const flipped = Buffer.from(bytes)
    flipped[at] = (flipped[at] ?? 0) ^ 0x5a
    writeFileSync(file, flipped)
    const state = readJournal(folder)
    if (at < last) expect(state, `byte ${at}`).toBeNull()
    else expect(state?.requestSeq, `byte ${at}`).toBe(4)
  }
})

test('a damaged journal is told with its place, kept for a look, and written on behind nothing damaged', () => {
  const { folder, file, bytes } = fiveRecords()
  bytes[headerBytes + 3] = (bytes[headerBytes + 3] ?? 0) ^ 1
  writeFileSync(file, bytes)
  const { journal, found, detail } = openJournal(folder, small)
  expect(found).toBe('corrupt')
  expect(detail).toMatch(/journal-b is damaged at byte 0/)
  expect(readFileSync(`${file}.damaged`)).toEqual(bytes)
  journal.append(seq(77))
  journal.close()
  expect(openJournal(folder, small)).toMatchObject({ found: 'good', journal: { state: { requestSeq: 77 } } })
})

test('a missing file next to one that was in use counts as lost history', () => {
  const { folder } = fiveRecords()
  rmSync(path.join(folder, 'journal-a'))
  expect(openJournal(folder, small)).toMatchObject({ found: 'corrupt', detail: 'journal-a is missing' })
})

test('a creation that was interrupted is finished at the next start', () => {
  const folder = aFolder()
  openJournal(folder, small).journal.close()
  truncateSync(path.join(folder, 'journal-b'), 100)
  const { journal, found } = openJournal(folder, small)
  expect(found).toBe('new')
  journal.append(seq(3))
  expect(readJournal(folder)?.requestSeq).toBe(3)
})

test('several records in one append are there together or not at all', () => {
  fc.assert(
    fc.property(fc.nat(small), (cut) => {
      const folder = aFolder()
      const { journal } = openJournal(folder, small)
      journal.append(seq(1))
      journal.append(seq(2), report(1), report(2))
      journal.close()
      const file = path.join(folder, 'journal-b')
      copyFileSync(file, `${file}.copy`)
      const torn = readFileSync(file)
      torn.fill(0, cut)
      writeFileSync(file, torn)
      const state = readJournal(folder)
      expect(state === null ? 'nothing' : `${state.requestSeq},${state.reportHigh}`).toMatch(/^(nothing|0,0|1,0|2,2)$/)
    }),
    { numRuns: 60 },
  )
})
