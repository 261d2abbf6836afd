import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Report } from '@bascule/contract/device/protocol.ts'
import { freshMemory } from '@bascule/trust/client/memory.ts'
import { encodeFrame } from '#/journal/frame.ts'
import { openJournal } from '#/journal/journal.ts'
import type { JournalRecord } from '#/journal/state.ts'
import { currentPlatform } from './platform/platform.ts'
import { describeStatus, readStatus } from './status.ts'

const now = '2026-01-01T00:00:00Z'
const sha = 'a'.repeat(64)

function aFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'bascule-status-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

const identity = {
  server: 'https://bascule.example',
  deviceId: 'd'.repeat(64),
  name: 'kiosk-4',
  directorKey: { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'c'.repeat(64) } },
  enrolledAt: now,
} as const

function aDevice(...records: JournalRecord[]): string {
  const folder = aFolder()
  const { journal } = openJournal(folder, 65_536)
  journal.append({ t: 'identity', identity, epoch: 'e' }, ...records)
  journal.close()
  return folder
}

const read = (folder: string) => describeStatus(readStatus(folder, currentPlatform()))

test('who authorised what runs, and how it was verified, is said from the receipt', () => {
  const line = { name: 'tool', version: '2.0.0', index: `sha256:${sha}`, variant: 'linux', modules: [] }
  const installed = {
    productLine: 'tools',
    activation: 'current',
    release: 'r2',
    counter: 2,
    manifestSha256: sha,
    packages: [{ ...line, installer: 'tree', folder: '2.0.0-1' }],
    previous: null,
    since: now,
  }
  const verification = [
    { level: 0, result: 'passed', detail: 'x' },
    { level: 1, result: 'not-yet', detail: "Authorised by the board: not yet, the director's signature only" },
    { level: 2, result: 'passed', detail: 'x' },
    { level: 3, result: 'passed', detail: 'x' },
    { level: 4, result: 'not-asked', detail: 'x' },
  ] as const
  const signed = {
    _type: 'bascule-receipt',
    specVersion: 1,
    device: identity.deviceId,
    seq: 1,
    job: '1',
    release: 'r2',
    manifestSha256: sha,
    generation: 3,
    action: 'install',
    outcome: 'committed',
    packages: [{ ...line, before: null, after: '2.0.0', fileCount: 1, treeSha256: null }],
    verification: [...verification],
    cause: null,
    startedAt: now,
    finishedAt: now,
    agentVersion: '0',
  } as const
  const receipt = { signed: { ...signed, packages: [...signed.packages] }, signatures: [] }
  const report = { seq: 1, job: '1', at: now, step: 'committed', notes: [], receipt } as const
  const folder = aDevice(
    { t: 'installed', key: 'tools@current', installed },
    { t: 'report', report: { ...report, notes: [] } as never },
  )
  const said = read(folder)
  expect(said).toContain('Runs tool 2.0.0 (release r2, current) since 2026')
  expect(said).toContain("Authorised by the board: not yet, the director's signature only.")
  expect(said).toContain(
    'delivered whole (passed), in its place (passed), every file as signed (passed), healthy (not asked)',
  )
  expect(said).toContain('Still to be told to the server: reports, 1.')
})

test('the boards a device trusts, what it has verified of them and what it refused last are said with the rule', () => {
  const memory = { ...freshMemory(Temporal.Instant.from(now)), timestampVersion: 41, roles: { company: 3 } }
  const refusal = { code: 'WITHDRAWN', rule: 'stop-list-is-silent' }
  const wait = { reason: 'gate', detail: 'It was stopped', since: now, wakesOn: 'newer files come', refusal } as const
  const report: Report = { seq: 1, job: '7', at: now, step: 'installing', notes: [], wait }
  const known = { ...identity, root: { sha256: sha, kind: 'fingerprint' } } as const
  const said = read(
    aDevice({ t: 'identity', identity: known, epoch: 'e' }, { t: 'authority', memory }, { t: 'report', report }),
  )
  expect(said).toContain(`Trusts the release boards under the root ${sha}, by its fingerprint.`)
  expect(said).toContain('Verified files of the boards: root 1, company 3 (timestamp 41).')
  expect(said).toContain(`Last not permitted: job 7 at ${now} (WITHDRAWN, stop-list-is-silent): It was stopped.`)
  expect(said).not.toContain('They end')
  expect(read(aDevice())).toContain('Has no root of release boards yet')
})

test('the status says until when the verified files live, the first that ends first, and leaves out a damaged one', () => {
  const folder = aDevice()
  mkdirSync(path.join(folder, 'tuf'))
  const put = (name: string, text: string) => writeFileSync(path.join(folder, 'tuf', name), text)
  put('company.tools.json', JSON.stringify({ signed: { expires: '2026-06-30T00:00:00Z' } }))
  put('timestamp.json', JSON.stringify({ signed: { expires: '2026-01-03T00:00:00Z' } }))
  put('snapshot.json', '{"signed":{"expires":"2026-')
  expect(read(folder)).toContain('They end: timestamp at 2026-01-03T00:00:00Z, company.tools at 2026-06-30T00:00:00Z.')
})

test('a device that waits for approval, one whose server is silent and one at rest say different things', () => {
  const folder = aDevice()
  const contact = (state: string, why = '') => {
    // The owner's note of this very process: the agent runs.
    const platform = currentPlatform()
    writeFileSync(
      path.join(folder, 'agent.lock'),
      `${process.pid} ${platform.processStart(process.pid)} ${platform.bootId()}`,
    )
    writeFileSync(path.join(folder, 'contact'), JSON.stringify({ state, why, since: now }).padEnd(2048))
    return read(folder)
  }
  expect(contact('pending')).toContain(`Waits since ${now} until a person approves this device`)
  expect(contact('later', 'connect ECONNREFUSED')).toContain(`No check-in since ${now}: connect ECONNREFUSED. It tries`)
  expect(contact('heard')).toContain('Waits for nothing: no order has come yet.')
  writeFileSync(path.join(folder, 'contact'), '{"state":"hea')
  expect(read(folder)).toContain('It has not asked the server yet.')
})

test('a folder without an agent, one that is not enrolled and one whose journal is lost are told apart', () => {
  expect(read('/nowhere/at/all')).toContain('there is no folder /nowhere/at/all')
  const empty = aFolder()
  expect(read(empty)).toContain('This device is not enrolled.')
  writeFileSync(path.join(empty, 'identity.json'), JSON.stringify(identity))
  expect(read(empty)).toContain('What it runs and waits for is not known')
})

test('a journal that a newer agent wrote says so and what to do, instead of being guessed at', () => {
  const folder = aFolder()
  openJournal(folder, 8192).journal.close()
  const frame = encodeFrame(1, Buffer.from(JSON.stringify([{ t: 'hologram' }])))
  writeFileSync(path.join(folder, 'journal-a'), Buffer.concat([frame, Buffer.alloc(8192 - frame.length)]))
  for (const attempt of [() => openJournal(folder, 8192), () => readStatus(folder, currentPlatform())]) {
    expect(attempt).toThrow(/"hologram".* a newer agent wrote it\. Start the newer agent again.* move journal-a/)
  }
})
