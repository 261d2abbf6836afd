import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { MetadataSource } from '@bascule/trust/client/refresh-authority.ts'
import type { World } from '@bascule/trust/testing/world.ts'
import { publishInto } from '@bascule/trust/testing/world.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { expect, onTestFinished, test } from 'vitest'
import { openJournal } from '#/journal/journal.ts'
import type { Identity } from '#/journal/state.ts'
import { foundBoard, instantNow, nowIn } from '#/testing/test-board.ts'
import { storeAnchor } from './anchor.ts'
import { createAuthorityKeeper } from './authority-keeper.ts'
import { openMetadataCache } from './metadata-cache.ts'

/** A board that is published anew each second, and a device that has its root. */
function aDevice(world: World) {
  const data = mkdtempSync(path.join(tmpdir(), 'bascule-keeper-'))
  const { journal } = openJournal(data, 65_536)
  onTestFinished(() => {
    journal.close()
    rmSync(data, { recursive: true, force: true })
  })
  const root = world.files.get('1.root.json') ?? new Uint8Array()
  storeAnchor(data, root)
  const identity = { name: 'kiosk', root: { sha256: sha256Hex(root), kind: 'fingerprint' } } as Identity
  journal.append({ t: 'identity', identity, epoch: 'e' })
  const source = aSource(world)
  const stop = new AbortController()
  const start = () =>
    createAuthorityKeeper({
      data,
      journal,
      cache: openMetadataCache(path.join(data, 'tuf'), () => {}),
      sources: () => [source],
      now: () => new Date().toISOString(),
      random: Math.random,
      signal: stop.signal,
      everyMs: 0,
    })
  return { data, journal, source, stop, start }
}

interface TestSource extends MetadataSource {
  world: World
  readonly asked: string[]
  /** Called before a file is handed out that was taken already. */
  pause: (name: string) => Promise<void>
}

function aSource(world: World): TestSource {
  const source: TestSource = {
    world,
    asked: [],
    pause: () => Promise.resolve(),
    async fetchMetadata(name) {
      source.asked.push(name)
      const bytes = source.world.files.get(name)
      await source.pause(name)
      return bytes
    },
  }
  return source
}

const publishedAgain = (world: World) => publishInto(nowIn(world), {})

test('what is wanted while a refresh is on its way is fetched after it, and not taken as fetched', async () => {
  const { source, start } = aDevice(foundBoard())
  const keeper = start()
  source.pause = (name) => {
    if (name === 'timestamp.json' && keeper.known() === null) {
      // The file is on its way when a newer one is published, and the server says so.
      source.world = publishedAgain(source.world)
      source.pause = () => Promise.resolve()
      expect(keeper.heard(2)).toBe(true)
    }
    return Promise.resolve()
  }
  const { authority, refusal } = await keeper.bring()
  expect(refusal).toBeNull()
  expect(authority?.timestampVersion).toBe(2)
})

test('who asks while another one is asking shares its answer, and at rest nobody is asked', async () => {
  const { source, start } = aDevice(foundBoard())
  const keeper = start()
  const [one, other] = await Promise.all([keeper.bring(), keeper.bring()])
  expect(one.authority?.timestampVersion).toBe(1)
  expect(other).toEqual(one)
  expect(source.asked.filter((name) => name === 'timestamp.json')).toHaveLength(1)
  const count = source.asked.length
  source.world = publishedAgain(source.world)
  await keeper.bring()
  expect(source.asked).toHaveLength(count)
  keeper.want()
  expect((await keeper.bring()).authority?.timestampVersion).toBe(2)
  const after = source.asked.length
  await keeper.bring()
  expect(source.asked).toHaveLength(after)
})

test('after a start the cache says who the director is without asking anybody, and does not count as having asked', async () => {
  const { source, start, journal } = aDevice(foundBoard())
  await start().bring()
  const memory = journal.state.authority
  expect(memory).not.toBeNull()
  journal.append({ t: 'authority', memory: { ...memory!, notBefore: '2026-01-01T00:00:00Z' } })
  const count = source.asked.length
  const keeper = start()
  await keeper.load()
  expect(Object.keys(keeper.known()?.director.keys ?? {})).toHaveLength(1)
  expect(source.asked).toHaveLength(count)
  expect(keeper.isDue()).toBe(true)
  keeper.want()
  await keeper.bring()
  expect(keeper.isDue()).toBe(false)
})

test('while no source answers the cached files are still known, and the reason why there are no newer ones is told', async () => {
  const { source, start } = aDevice(foundBoard())
  await start().bring()
  const keeper = start()
  source.pause = () => Promise.reject(new Error('Reaching nobody: refused'))
  keeper.want()
  const { authority, refusal } = await keeper.bring()
  expect(authority?.timestampVersion).toBe(1)
  expect(refusal).toMatchObject({ code: 'UNAVAILABLE' })
})

test('files that have ended in the cache are worth nothing, and an agent that is being stopped remembers nothing new', async () => {
  const old = foundBoard(instantNow().subtract({ hours: 72 }))
  const { source, stop, start, journal } = aDevice(old)
  const keeper = start()
  expect((await keeper.bring()).refusal).toMatchObject({ code: 'EXPIRED' })
  expect(keeper.known()).toBeNull()
  source.world = publishedAgain(old)
  source.pause = (name) => {
    if (name === 'timestamp.json') stop.abort(new Error('stopped'))
    return Promise.resolve()
  }
  await expect(keeper.bring()).rejects.toThrow('stopped')
  expect(journal.state.authority).toBeNull()
})
