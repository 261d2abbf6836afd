import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signDocument } from '@bascule/trust/envelope.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { members, now } from '@bascule/trust/testing/world.ts'
import type { buildRoot } from '@bascule/trust/tuf/build.ts'
import type { Documents } from '@bascule/trust/tuf/publish.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { firstCeremony, firstGo } from '../testing/ceremony.ts'
import { emptyLogHead, openSignerLog, readSignerLog, type LogBody, type LogEntry } from '../signer-log.ts'
import { type Repository, openRepository } from './open-repository.ts'

let folder: string
let at: Temporal.Instant
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bascule-repository-'))
  at = now
})
afterEach(() => rmSync(folder, { recursive: true }))

const clock = { now: () => at }
const nowhere = { append: (_body: LogBody) => undefined }

function open(log: Parameters<typeof openRepository>[1] = nowhere): Repository {
  return openRepository(folder, log, clock)
}

function ceremony({ onlineKeys: { snapshot, timestamp } }: Repository): Documents {
  return firstCeremony({ snapshot: snapshot.publicKey, timestamp: timestamp.publicKey }, at)
}

function goSignedBy(count: number): Documents {
  return firstGo(members.slice(0, count), at)
}

function versionsOf({ state }: Repository) {
  return [state.snapshot?.signed.version, state.timestamp?.signed.version, state.roles['retail.pos']?.signed.version]
}

test('before the first ceremony there is nothing to hand out and nothing to renew', () => {
  const repository = open()
  expect(repository.filesForNewcomers()).toEqual([])
  expect(repository.renew()).toEqual({ ok: true, value: [] })
})

test('the first ceremony and a go are published, kept, and gone on from after a start', () => {
  const before = open()
  expect(before.publish(ceremony(before))).toMatchObject({ ok: true })
  const go = before.publish(goSignedBy(2))
  expect(go.ok && go.value.map(({ name }) => name)).toEqual(['2.retail.pos.json', '2.snapshot.json', 'timestamp.json'])

  const after = open()
  expect(versionsOf(after)).toEqual([2, 2, 2])
  const names = after.filesForNewcomers().map(({ name }) => name)
  expect(names).toContain('1.root.json')
  expect(names).toContain('2.retail.pos.json')
  expect(names.at(-1)).toBe('timestamp.json')
  expect(after.filesForNewcomers()).toEqual(before.filesForNewcomers())
})

test('the same documents may be published twice, because an answer can get lost, and make one version', () => {
  const repository = open()
  repository.publish(ceremony(repository))
  const documents = goSignedBy(2)
  expect(repository.publish(documents)).toMatchObject({ ok: true })
  expect(repository.publish(documents)).toEqual({ ok: true, value: repository.filesForNewcomers() })
  expect(versionsOf(repository)).toEqual([2, 2, 2])
})

test('one signature of a quorum of two publishes nothing and leaves nothing behind', () => {
  const repository = open()
  repository.publish(ceremony(repository))
  const files = readdirSync(join(folder, 'repository'))
  expect(repository.publish(goSignedBy(1))).toMatchObject({ ok: false, error: { rule: 'quorum-signed' } })
  expect(versionsOf(repository)).toEqual([1, 1, 1])
  expect(readdirSync(join(folder, 'repository'))).toEqual(files)
})

test('a second root of other custodians is not taken', () => {
  const repository = open()
  const ours = ceremony(repository)
  repository.publish(ours)
  const { signed } = ours['root'] ?? { signed: undefined }
  const theirs = signDocument({ ...(signed as ReturnType<typeof buildRoot>), version: 2 }, members)
  expect(repository.publish({ root: theirs })).toMatchObject({ ok: false })
})

test('an hour renews the timestamp, a day the snapshot as well, and before that nothing happens', () => {
  const repository = open()
  repository.publish(ceremony(repository))
  expect(repository.renew()).toEqual({ ok: true, value: [] })
  at = at.add({ minutes: 61 })
  const hourly = repository.renew()
  expect(hourly.ok && hourly.value.map(({ name }) => name)).toEqual(['timestamp.json'])
  expect(repository.renew()).toEqual({ ok: true, value: [] })
  at = at.add({ hours: 24 })
  const daily = repository.renew()
  expect(daily.ok && daily.value.map(({ name }) => name)).toEqual(['2.snapshot.json', 'timestamp.json'])
  expect(versionsOf(open())).toEqual([2, 3, 1])
})

test('what a loss of power left beside the state was never published and is written over', () => {
  const repository = open()
  repository.publish(ceremony(repository))
  writeFileSync(join(folder, 'repository', '2.retail.pos.json'), '{"left": "half')
  writeFileSync(join(folder, 'repository', 'state.json.new'), '{"left": "half')
  const after = open()
  expect(after.filesForNewcomers().map(({ name }) => name)).not.toContain('2.retail.pos.json')
  expect(after.publish(goSignedBy(2))).toMatchObject({ ok: true })
  expect(JSON.parse(readFileSync(join(folder, 'repository', '2.retail.pos.json'), 'utf8'))).toMatchObject(
    goSignedBy(2)['retail.pos'] ?? {},
  )
})

test('after a restore the next versions are above those that devices have seen', () => {
  const repository = open()
  repository.publish(ceremony(repository))
  expect(repository.publish({}, { snapshot: 40, timestamp: 90 })).toMatchObject({ ok: true })
  expect(versionsOf(repository)).toEqual([41, 91, 1])
})

test('the record of the signer names every published file with the hash of its bytes', () => {
  const path = join(folder, 'log.jsonl')
  const { log } = openSignerLog(path, emptyLogHead, () => undefined)
  using _log = log
  const repository = open(log)
  repository.publish(ceremony(repository))
  const entries: LogEntry[] = []
  readSignerLog(path, emptyLogHead, (entry) => entries.push(entry))
  const recorded = entries.flatMap((entry) => (entry.kind === 'published' ? entry.files : []))
  expect(recorded).toEqual(
    expect.arrayContaining(repository.filesForNewcomers().map(({ name, text }) => [name, sha256Hex(text)])),
  )
})

test('when nothing can be recorded nothing is published', () => {
  const repository = open({
    append: () => {
      throw new Error('the disk is full')
    },
  })
  expect(() => repository.publish(ceremony(repository))).toThrow('the disk is full')
  expect(open().filesForNewcomers()).toEqual([])
})
