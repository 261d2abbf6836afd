import path from 'node:path'
import type { Facts } from '@bascule/contract/device/protocol.ts'
import type { KeyPair } from '@bascule/trust/keys.ts'
import { sayAnchor } from './authority/anchor.ts'
import { createAuthorityKeeper } from './authority/authority-keeper.ts'
import { demandRoot } from './authority/demand-root.ts'
import { httpSource } from './authority/http-source.ts'
import { openMetadataCache } from './authority/metadata-cache.ts'
import { latestSeen } from './authority/seen-memory.ts'
import { createBell, type Bell } from './bell.ts'
import { createContactLog, type ContactLog } from './check-in/contact.ts'
import { enrol, loadOrMakeKey, metadataFolderName, readIdentityCopy } from './check-in/enrol.ts'
import { createRequestSeq } from './check-in/request-seq.ts'
import { createSoftClock, type SoftClock } from './check-in/soft-clock.ts'
import { talk, type Talk, type TalkOutcome } from './check-in/talk.ts'
import { readToken, warnOfPlainHttp, type TokenSource } from './check-in/credentials.ts'
import { instanceOf, lockFolder, type FolderLock } from './data-lock.ts'
import { createEngine, type Engine } from './engine/engine.ts'
import { backOffMs } from './engine/retry.ts'
import type { World } from './engine/world.ts'
import { treeInstaller } from './installers/tree.ts'
import { takeInventory } from './inventory/inventory.ts'
import { withDiary } from './journal/diary.ts'
import { openJournal, type Journal } from './journal/journal.ts'
import { rebuildState } from './journal/rebuild.ts'
import { currentPlatform, type Platform } from './platform/platform.ts'
import { openBlobStore } from './store/blob-store.ts'

export interface AgentOptions {
  readonly data: string
  readonly root: string
  readonly server: string | null
  readonly token: TokenSource | null
  readonly name: string
  /** Fingerprint of the first root of the release boards, as a person gave it. */
  readonly rootSha256: string | null
  /** For trials: the longest time between two check-ins and between two tries. */
  readonly everyMs: number
  readonly factsFile: string | null
  readonly signal: AbortSignal
  readonly log: (line: string) => void
}

/** This device has no server, or its server does not want it; said in one sentence. */
export class NotEnrolled extends Error {}

interface Device {
  readonly options: AgentOptions
  readonly platform: Platform
  readonly key: KeyPair
  readonly journal: Journal
  readonly clock: SoftClock
  readonly lock: FolderLock
}

/** Opens the data folder and makes the device known when it is not yet. */
export async function openDevice(options: AgentOptions): Promise<Device> {
  const platform = currentPlatform()
  const lock = lockFolder(options.data, platform, options.log)
  const key = loadOrMakeKey(options.data)
  const { journal: opened, found, detail } = openJournal(options.data)
  const journal = withDiary(opened, options.log)
  if (journal.blind !== null) options.log(`${journal.blind}. No job goes on until it can be written again.`)
  const identity = readIdentityCopy(options.data)
  const clock = createSoftClock(() => latestSeen(journal.state))
  // A folder without a journal whose device is known was not new: its journal is gone.
  if (found === 'corrupt' || (found === 'new' && identity !== null)) {
    const why = detail === '' ? 'The journal is missing' : detail
    options.log(`${why}; it is rebuilt from what is installed.`)
    journal.restart(rebuildState(identity, [treeInstaller(options.root)], why, clock.now()))
  }
  const device = { options, platform, key, journal, clock, lock }
  warnOfPlainHttp(options.server ?? journal.state.identity?.server ?? null, options.log)
  await enrolWhenNeeded(device)
  demandRoot(options.data, journal, options.rootSha256)
  return device
}

async function enrolWhenNeeded(device: Device): Promise<void> {
  const { options, journal, key } = device
  if (journal.state.identity) return
  const { server, data, name, signal, rootSha256 } = options
  if (server === null || options.token === null) {
    throw new NotEnrolled(
      'This device is not enrolled. Start it once with --server and --token-file (or BASCULE_TOKEN).',
    )
  }
  const token = readToken(options.token, options.log)
  for (let delayMs: number | null = null; !journal.state.identity;) {
    const facts = await inventory(device)
    const reply = await enrol({ server, token, name, data, key, journal, facts, signal, rootSha256 })
    if (reply.kind === 'refused') throw new NotEnrolled(`The server refused: ${reply.problem.message}`)
    if (reply.kind === 'ok') {
      const { deviceId, state } = reply.body
      options.log(sayAnchor(journal.state.identity))
      options.log(
        `Enrolled at ${server} as ${deviceId.slice(0, 12)}…, ${state === 'pending' ? 'and waits for approval' : state}.`,
      )
      return
    }
    delayMs = Math.max(reply.retryAfterMs ?? 0, Math.min(options.everyMs, backOffMs(delayMs, Math.random)))
    options.log(`The server cannot be reached (${reply.why}); next try in ${Math.ceil(delayMs / 1000)} s.`)
    await createBell().wait(delayMs, signal)
  }
}

async function inventory({ platform, options, journal }: Device): Promise<Facts> {
  const { data, root, factsFile } = options
  return await takeInventory({
    platform,
    data,
    root,
    instance: instanceOf(data),
    state: journal.state,
    blind: journal.blind,
    factsFile,
  })
}

/** Runs until the signal. Two loops: one works on jobs, one talks to the server; each wakes the other. */
export async function run(options: AgentOptions): Promise<void> {
  const device = await openDevice(options)
  const work = createBell()
  const speak = createBell()
  const contact = { isOffline: false }
  const memory: Talk['memory'] = {
    sources: [],
    factsSentHash: null,
    factsSentAtMs: 0,
    wantFacts: false,
    refusedAssignment: null,
    doubtedAssignment: null,
  }
  const world = worldOf(device, memory)
  const engine = createEngine({
    world,
    everyMs: options.everyMs,
    random: Math.random,
    wantCheckIn: () => {
      speak.ring()
    },
    isOffline: () => contact.isOffline,
  })
  engine.resume()
  const server = options.server ?? device.journal.state.identity?.server ?? ''
  const told = createContactLog(options.data, () => device.clock.now(), options.log)
  const talking: Talk = {
    world,
    engine,
    clock: device.clock,
    seq: createRequestSeq(device.journal),
    server,
    memory,
    again: () => {
      speak.ring()
    },
    log: options.log,
  }
  try {
    await loadAuthority(world, options.log)
    await Promise.all([
      workLoop(engine, work, options.signal),
      talkLoop(talking, options, { work, speak, contact, told, lock: device.lock }),
    ])
  } catch (error) {
    if (!options.signal.aborted) throw error
    for (const id of Object.keys(device.journal.state.jobs)) engine.dispatch(id, { kind: 'stopped' })
  } finally {
    device.journal.close()
  }
}

function worldOf(device: Device, memory: Talk['memory']): World {
  const { options, journal, platform, key, clock } = device
  const { data, root, signal, everyMs } = options
  const tree = treeInstaller(root)
  const stallMs = Math.min(30_000, Math.max(1000, everyMs * 5))
  const sources = () => [...memory.sources, options.server ?? journal.state.identity?.server ?? '']
  const authority = createAuthorityKeeper({
    data,
    journal,
    cache: openMetadataCache(path.join(data, metadataFolderName), options.log),
    sources: () => sources().map((base) => httpSource(base, { signal, stallMs })),
    now: () => clock.now(),
    random: Math.random,
    signal,
    everyMs,
  })
  return {
    authority,
    journal,
    platform,
    key,
    root,
    instance: instanceOf(data),
    signal,
    store: openBlobStore(path.join(data, 'blobs')),
    installers: new Map([[tree.type, tree]]),
    now: () => clock.now(),
    facts: async () => await inventory(device),
    sources,
    stallMs,
    progress: new Map(),
    permitted: new Set(),
  }
}

/** What the cache holds says whose orders count, before the first one comes. */
async function loadAuthority({ authority, journal, signal }: World, log: (line: string) => void): Promise<void> {
  try {
    await authority.load()
    // Much may have been said while the agent did not run; what is at rest needs none of it.
    if (Object.keys(journal.state.jobs).length > 0) authority.want()
  } catch (error) {
    signal.throwIfAborted()
    log(`The files of the release boards cannot be read: ${String(error)}. They are fetched when they are needed.`)
  }
}

async function workLoop(engine: Engine, bell: Bell, signal: AbortSignal): Promise<never> {
  for (;;) {
    await engine.work()
    await bell.wait(engine.nextLookMs(), signal)
  }
}

interface Around {
  readonly work: Bell
  readonly speak: Bell
  readonly contact: { isOffline: boolean }
  readonly told: ContactLog
  readonly lock: FolderLock
}

/** A time the server named is binding: no bell shortens it. */
async function talkLoop(talking: Talk, options: AgentOptions, around: Around): Promise<never> {
  const { work, speak, contact, told, lock } = around
  let backOff: number | null = null
  for (;;) {
    lock.ensure()
    talking.world.journal.heal()
    const outcome = await talk(talking)
    contact.isOffline = outcome.kind === 'later'
    backOff = outcome.kind === 'later' ? pauseAfter(outcome, backOff, options.everyMs) : null
    work.ring()
    if (outcome.kind === 'heard') {
      const pauseMs = Math.min(options.everyMs, spread(outcome.nextSeconds))
      told.tell(outcome, pauseMs)
      await speak.wait(pauseMs, options.signal)
    } else {
      told.tell(outcome, delayOf(outcome, backOff))
      await createBell().wait(delayOf(outcome, backOff), options.signal)
    }
  }
}

function pauseAfter(outcome: Extract<TalkOutcome, { kind: 'later' }>, before: number | null, everyMs: number): number {
  return Math.min(everyMs, outcome.pauseMaxMs ?? Number.POSITIVE_INFINITY, backOffMs(before, Math.random))
}

function delayOf(outcome: Extract<TalkOutcome, { kind: 'later' }>, backOff: number | null): number {
  return outcome.retryAfterMs ?? backOff ?? 0
}

/** Long pauses vary by a quarter either way, so that devices started together do not stay in step. */
function spread(seconds: number): number {
  return seconds * 1000 * (seconds < 60 ? 1 : 0.75 + Math.random() / 2)
}
