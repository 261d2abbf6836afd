import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signDocument } from '@bascule/trust/envelope.ts'
import { generateKeyPair } from '@bascule/trust/keys.ts'
import { members, now, twoOf } from '@bascule/trust/testing/world.ts'
import { buildReleases, buildSnapshot, buildStops, buildTimestamp } from '@bascule/trust/tuf/build.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { firstCeremony, firstGo } from '../testing/ceremony.ts'
import type { LogBody } from '../signer-log.ts'
import { type Repository, openRepository } from './open-repository.ts'

let folder: string
let at: Temporal.Instant
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bascule-recovery-'))
  at = now
})
afterEach(() => rmSync(folder, { recursive: true }))

const nowhere = { append: (_body: LogBody) => undefined }
type Texts = Record<string, string>

function open(name: string): Repository {
  mkdirSync(join(folder, name), { recursive: true })
  return openRepository(join(folder, name), nowhere, { now: () => at })
}

/** A repository after its ceremony, the backup of it, and what devices have kept of everything that was published later. */
function aLoss(): { restored: Repository; kept: Texts } {
  const lost = open('lost')
  const { snapshot, timestamp } = lost.onlineKeys
  lost.publish(firstCeremony({ snapshot: snapshot.publicKey, timestamp: timestamp.publicKey }, at))
  cpSync(join(folder, 'lost'), join(folder, 'restored'), { recursive: true })
  expect(lost.publish(firstGo(twoOf(members), at))).toMatchObject({ ok: true })
  const kiosk = signDocument(buildReleases('line', { version: 2, at }, {}), twoOf(members))
  expect(lost.publish({ 'retail.kiosk': kiosk })).toMatchObject({ ok: true })
  at = at.add({ hours: 2 })
  lost.renew()
  return { restored: open('restored'), kept: asDevicesKeep(lost) }
}

/** Devices keep the newest version of each file without a number in its name. */
function asDevicesKeep(repository: Repository): Texts {
  return Object.fromEntries(repository.filesForNewcomers().map(({ name, text }) => [name.replace(/^\d+\./, ''), text]))
}

function without(files: Texts, ...names: readonly string[]): Texts {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)))
}

function versionsOf({ state: { snapshot, timestamp, roles } }: Repository) {
  const role = (name: string) => roles[name]?.signed.version
  return [snapshot?.signed.version, timestamp?.signed.version, role('retail.pos'), role('retail.kiosk')]
}

test('a repository from an old backup gets back what devices have kept, under versions above all that they have seen', () => {
  const { restored, kept } = aLoss()
  expect(versionsOf(restored)).toEqual([1, 1, 1, 1])
  const answer = restored.recover(kept)
  expect(answer).toMatchObject({ ok: true, value: { missing: [] } })
  expect(answer.ok && answer.value.files.map(({ name }) => name)).toEqual([
    '2.retail.pos.json',
    '2.retail.kiosk.json',
    '4.snapshot.json',
    'timestamp.json',
  ])
  expect(versionsOf(restored)).toEqual([4, 5, 2, 2])
  expect(asDevicesKeep(open('restored'))['retail.pos.json']).toBe(kept['retail.pos.json'])
  expect(restored.recover(kept)).toEqual({ ok: true, value: { files: [], missing: [] } })
})

test('no device has all files, so they are gathered from several, and nothing is published before the last', () => {
  const { restored, kept } = aLoss()
  expect(restored.recover(without(kept, 'retail.kiosk.json'))).toEqual({
    ok: true,
    value: { files: [], missing: ['retail.kiosk'] },
  })
  expect(versionsOf(restored)).toEqual([1, 1, 1, 1])
  expect(restored.recover(without(kept, 'retail.pos.json'))).toMatchObject({ ok: true, value: { missing: [] } })
  expect(versionsOf(restored)).toEqual([4, 5, 2, 2])
})

test('after it, the next decision and the next hour go on above what came back', () => {
  const { restored, kept } = aLoss()
  restored.recover(kept)
  const next = signDocument(buildReleases('line', { version: 3, at }, {}), twoOf(members))
  expect(restored.publish({ 'retail.pos': next })).toMatchObject({ ok: true })
  expect(versionsOf(restored)).toEqual([5, 6, 3, 2])
})

test('numbers that this signer never signed change nothing, however high they are', () => {
  const { restored } = aLoss()
  const mallory = generateKeyPair()
  const snapshot = signDocument(buildSnapshot({ version: 900, at }, {}), [mallory])
  const bytes = new TextEncoder().encode(JSON.stringify(snapshot))
  const timestamp = signDocument(buildTimestamp({ version: 900, at }, 900, bytes), [mallory])
  const files = { 'snapshot.json': JSON.stringify(snapshot), 'timestamp.json': JSON.stringify(timestamp) }
  expect(restored.recover(files)).toEqual({ ok: true, value: { files: [], missing: [] } })
  expect(versionsOf(restored)).toEqual([1, 1, 1, 1])
})

test('a file of people is taken only as this signer once listed it and with its quorum, and the real one still is', () => {
  const { restored, kept } = aLoss()
  const real = JSON.parse(kept['retail.pos.json'] ?? '') as { signed: object; signatures: object[] }
  const forged = {
    oneSignature: { ...real, signatures: real.signatures.slice(0, 1) },
    // The same length as the real one, with the signature of one member written twice.
    oneMemberTwice: { ...real, signatures: [real.signatures[0], real.signatures[0]] },
    neverListed: signDocument(buildReleases('line', { version: 7, at }, {}), twoOf(members)),
    otherContent: signDocument(buildReleases('line', { version: 2, at }, {}), [generateKeyPair(), generateKeyPair()]),
  }
  for (const [what, document] of Object.entries(forged)) {
    const answer = restored.recover({ ...kept, 'retail.pos.json': JSON.stringify(document) })
    expect(answer, what).toEqual({ ok: true, value: { files: [], missing: ['retail.pos'] } })
  }
  expect(versionsOf(restored)).toEqual([1, 1, 1, 1])
  expect(restored.recover(kept)).toMatchObject({ ok: true })
  expect(versionsOf(restored)).toEqual([4, 5, 2, 2])
})

test('half a file, a file of no role and a stop list that is older are left out', () => {
  const { restored, kept } = aLoss()
  const rubbish = {
    'retail.stop.json': JSON.stringify(signDocument(buildStops({ version: 1, at }, {}), members)),
    'prototype.json': '{}',
    'x.y.z.json': '{"signed":{"version":1},"signatures":[]}',
    'retail.emergency.json': (kept['retail.emergency.json'] ?? '').slice(0, 100),
  }
  expect(restored.recover(rubbish)).toEqual({ ok: true, value: { files: [], missing: [] } })
  expect(restored.recover({ ...kept, ...rubbish })).toMatchObject({ ok: true, value: { missing: [] } })
  expect(versionsOf(restored)).toEqual([4, 5, 2, 2])
})

test('a first root comes from nobody: where none is left, a device cannot bring one', () => {
  const { kept } = aLoss()
  const lost = join(folder, 'lost')
  rmSync(join(lost, 'repository'), { recursive: true })
  const empty = open('lost')
  const { snapshot, timestamp } = empty.onlineKeys
  const theirs = firstCeremony({ snapshot: snapshot.publicKey, timestamp: timestamp.publicKey }, at)['root']
  for (const root of [kept['root.json'] ?? '', JSON.stringify(theirs)]) {
    expect(empty.recover({ ...kept, 'root.json': root })).toEqual({ ok: true, value: { files: [], missing: [] } })
    expect(empty.filesForNewcomers()).toEqual([])
  }
})
