import { hash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  answer,
  cutAfter,
  ignoreRange,
  lieAboutLength,
  poison,
  sendTooMuch,
  stallAfter,
  startFaultServer,
  whole,
  type Behaviour,
  type FaultServer,
} from '@bascule/testkit/content/fault-server.ts'
import { temporaryFolder, type TemporaryFolder } from '@bascule/testkit/content/package-folder.ts'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { downloadBlob, type DownloadEvent, type DownloadPatience } from './download-blob.ts'
import { parseRetryAfter } from './fetch-range.ts'
import { nodePartFile, type PartFile } from './part-file.ts'

const content = Buffer.from(Array.from({ length: 50_000 }, (_none, n) => `${n},`).join('')).subarray(0, 200_000)
const digest = `sha256:${hash('sha256', content)}`
const quick = { stallMs: 150, pauseMs: 1, fruitlessMax: 3, waitMaxMs: 3000 }

let folder: TemporaryFolder
let servers: FaultServer[]
let path: string
beforeEach(async () => {
  folder = await temporaryFolder()
  path = join(folder.path, 'blob')
  servers = []
})
afterEach(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function download(
  sources: readonly (readonly Behaviour[])[],
  options: { into?: PartFile; patience?: Partial<DownloadPatience>; signal?: AbortSignal } = {},
) {
  for (const behaviours of sources) servers.push(await startFaultServer(content, behaviours))
  const events: DownloadEvent[] = []
  const outcome = await downloadBlob({
    digest,
    sizeBytes: content.length,
    sources: servers.map(({ url }, n) => ({ name: `source-${n + 1}`, url })),
    into: options.into ?? nodePartFile(path),
    onEvent: (event) => events.push(event),
    patience: { ...quick, ...options.patience },
    ...(options.signal && { signal: options.signal }),
  })
  return { outcome, events, told: events.map(({ source, outcome: what }) => `${source} ${what}`) }
}

function expectWhole(): void {
  expect(readFileSync(path).equals(content)).toBe(true)
  expect(existsSync(`${path}.part`)).toBe(false)
}

test('a blob arrives whole and under its final name', async () => {
  const { outcome, told } = await download([[whole]])
  expect(outcome).toEqual({ ok: true, value: { sizeBytes: content.length } })
  expect(told).toEqual(['source-1 complete'])
  expectWhole()
})

test('five cuts and a poisoned source before: the right bytes arrive, and what happened is told', async () => {
  const cut = cutAfter(30_000)
  const { outcome, events } = await download([[poison], [cut, cut, cut, cut, cut, whole]])
  expect(outcome.ok).toBe(true)
  expectWhole()
  expect(events[0]).toMatchObject({ source: 'source-1', outcome: 'poisoned', atByte: content.length })
  expect(events.slice(1).map((event) => event.outcome)).toEqual(['cut', 'cut', 'cut', 'cut', 'cut', 'complete'])
  expect(servers[1]?.starts).toHaveLength(6)
  expect(servers[1]?.starts.toSorted((a, b) => a - b)).toEqual(servers[1]?.starts)
})

test('each cut that brought bytes is progress, so thirty of them are fine', async () => {
  const { outcome } = await download([[...Array.from({ length: 30 }, () => cutAfter(5000)), whole]])
  expect(outcome.ok).toBe(true)
  expectWhole()
})

test('a source that drips is left for the next one', async () => {
  const { outcome } = await download([[cutAfter(2)], [whole]])
  expect(outcome.ok).toBe(true)
  expect(servers[0]?.starts).toEqual([0])
  expectWhole()
})

test('a source that gives nothing is left after three tries, and what came is kept', async () => {
  const { outcome, told } = await download([[cutAfter(10_000), cutAfter(0)]])
  expect(outcome).toEqual({ ok: false, error: { kind: 'no-source', atByte: 10_000 } })
  expect(told).toEqual(Array.from({ length: 4 }, () => 'source-1 cut'))
  expect(readFileSync(`${path}.part`)).toEqual(content.subarray(0, 10_000))
})

test('the next run goes on where the last one stopped', async () => {
  writeFileSync(`${path}.part`, content.subarray(0, 123_456))
  const { outcome } = await download([[whole]])
  expect(outcome.ok).toBe(true)
  expect(servers[0]?.starts).toEqual([123_456])
  expectWhole()
})

test('wrong bytes from an earlier run cost one more download, not the source', async () => {
  writeFileSync(`${path}.part`, Buffer.alloc(100, 'x'))
  const { outcome, told } = await download([[whole]])
  expect(outcome.ok).toBe(true)
  expect(told).toEqual(['source-1 suspect', 'source-1 complete'])
  expect(servers[0]?.starts).toEqual([100, 0])
  expectWhole()
})

test('more than the whole from an earlier run is thrown away', async () => {
  writeFileSync(`${path}.part`, Buffer.alloc(content.length + 1))
  expect((await download([[whole]])).outcome.ok).toBe(true)
  expectWhole()
})

test('two sources that made wrong bytes together are told apart', async () => {
  const halfPoison: Behaviour = ({ response, content: bytes }) => {
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(Buffer.alloc(50_000, 'x'), () => response.socket?.end())
  }
  const { outcome, told } = await download([[halfPoison, cutAfter(0)], [whole]])
  expect(outcome.ok).toBe(true)
  expect(told).toContain('source-2 complete')
  expectWhole()
})

test('a stalled source is left for the next one', async () => {
  const { outcome, events } = await download([[stallAfter(20_000), stallAfter(0)], [whole]])
  expect(outcome.ok).toBe(true)
  expect(events.map((event) => event.outcome)).toEqual(['stalled', 'stalled', 'complete'])
  expect(servers[1]?.starts).toEqual([20_000])
  expectWhole()
})

test('a source that ignores the range gives the missing part all the same', async () => {
  const { outcome } = await download([[cutAfter(70_000), ignoreRange]])
  expect(outcome.ok).toBe(true)
  expectWhole()
})

test('a source that lies about the length is struck before a byte is taken', async () => {
  const { told } = await download([[lieAboutLength], [whole]])
  expect(told).toEqual(['source-1 wrong-length', 'source-2 complete'])
  expectWhole()
})

test('never more than the signed length is written', async () => {
  const appended: number[] = []
  const part = nodePartFile(path)
  const counting: PartFile = {
    ...part,
    append(bytes) {
      appended.push(bytes.length)
      part.append(bytes)
    },
  }
  const { outcome } = await download([[sendTooMuch]], { into: counting })
  expect(appended.reduce((sum, length) => sum + length, 0)).toBe(content.length)
  expect(outcome.ok).toBe(true)
})

test('503 with Retry-After is obeyed, and another source is asked meanwhile', async () => {
  const { told } = await download([[answer(503, { 'retry-after': '60' })], [whole]])
  expect(told).toEqual(['source-1 busy', 'source-2 complete'])
})

test('a short Retry-After is waited for', async () => {
  const startedAtMs = Date.now()
  const { told } = await download([[answer(429, { 'retry-after': '1' }), whole]])
  expect(told).toEqual(['source-1 busy', 'source-1 complete'])
  expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(950)
})

test('a long Retry-After is told to the caller with the time', async () => {
  const { outcome } = await download([[answer(503, { 'retry-after': '600' })]])
  expect(outcome).toMatchObject({ ok: false, error: { kind: 'come-back-later', atByte: 0 } })
  expect(!outcome.ok && outcome.error.kind === 'come-back-later' && outcome.error.retryAfterMs).toBeGreaterThan(590_000)
})

test('a source that always asks for one more moment does not hold the caller', async () => {
  const { outcome } = await download([[answer(503, { 'retry-after': '0' })]])
  expect(outcome).toMatchObject({ ok: false, error: { kind: 'come-back-later' } })
})

test('404 strikes a source, 500 only for a while', async () => {
  const { outcome, told } = await download([[answer(404)], [answer(500), whole]])
  expect(outcome.ok).toBe(true)
  expect(told).toEqual(['source-1 refused', 'source-2 failed', 'source-2 complete'])
})

test('when all sources are poisoned, that is what is said, and nothing is kept', async () => {
  const { outcome } = await download([[poison], [poison]])
  expect(outcome).toEqual({ ok: false, error: { kind: 'all-poisoned' } })
  expect(readFileSync(`${path}.part`)).toHaveLength(0)
  expect(existsSync(path)).toBe(false)
})

test('a full disk comes out as it is and blames no source', async () => {
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  const part = nodePartFile(path)
  const into: PartFile = {
    ...part,
    append() {
      throw full
    },
  }
  await expect(download([[whole]], { into })).rejects.toBe(full)
})

test('whoever cancels gets the reason back and keeps the part', async () => {
  const stop = new AbortController()
  const part = nodePartFile(path)
  const into: PartFile = {
    ...part,
    append(bytes) {
      part.append(bytes)
      stop.abort(new Error('shutting down'))
    },
  }
  await expect(download([[stallAfter(1000)]], { into, signal: stop.signal })).rejects.toThrow('shutting down')
  expect(readFileSync(`${path}.part`).length).toBeGreaterThan(0)
})

const anyFault = fc.oneof(
  fc.nat(60_000).map((bytes) => cutAfter(bytes)),
  fc.constantFrom(
    poison,
    ignoreRange,
    lieAboutLength,
    sendTooMuch,
    answer(500),
    answer(404),
    answer(503, { 'retry-after': '0' }),
  ),
)

test('whatever the first sources do, a good one at the end brings the right bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(anyFault, { minLength: 1, maxLength: 5 }), { maxLength: 3 }), async (bad) => {
      await using place = await temporaryFolder()
      path = join(place.path, 'blob')
      const { outcome } = await download([...bad, [whole]])
      expect(outcome.ok).toBe(true)
      expectWhole()
      for (const server of servers.splice(0)) await server[Symbol.asyncDispose]()
    }),
    { numRuns: 30 },
  )
})

test('Retry-After is seconds or a date, and never more than a day', () => {
  expect(parseRetryAfter('120', 0)).toBe(120_000)
  expect(parseRetryAfter('Thu, 01 Jan 1970 00:01:00 GMT', 0)).toBe(60_000)
  expect(parseRetryAfter('99999999', 0)).toBe(86_400_000)
  expect(parseRetryAfter('soon', 0)).toBeUndefined()
  expect(parseRetryAfter(null, 0)).toBeUndefined()
})
