import {
  type Assignment,
  CheckInAnswer,
  devicePaths,
  deviceProtocolVersion,
  ReportsAnswer,
  type CheckIn,
  type Facts,
  type JobStatus,
  type MetadataReturn,
  type Reports,
} from '@bascule/contract/device/protocol.ts'
import * as z from 'zod'
import { memoryOf } from '#/authority/seen-memory.ts'
import { effectOf } from '#/engine/reduce.ts'
import { wireWait } from '#/engine/receipt.ts'
import { plainText } from '#/engine/plain-text.ts'
import type { World } from '#/engine/world.ts'
import type { Engine } from '#/engine/engine.ts'
import type { Job } from '#/engine/job.ts'
import { agentVersion } from '#/agent-version.ts'
import { hashFacts } from '#/inventory/inventory.ts'
import type { AgentState } from '#/journal/state.ts'
import { post, type Reply } from './client.ts'
import type { RequestSeq } from './request-seq.ts'
import type { SoftClock } from './soft-clock.ts'
import { reportRefusal, takeAssignment } from './take-assignment.ts'

/** What is remembered from one conversation to the next; nothing of it must survive a restart. */
export interface TalkState {
  sources: readonly string[]
  factsSentHash: string | null
  factsSentAtMs: number
  wantFacts: boolean
  refusedAssignment: string | null
  /** Of another director than the known one: newer files of the custodians are on their way. */
  doubtedAssignment: string | null
}

export interface Talk {
  readonly world: World
  readonly engine: Engine
  readonly clock: SoftClock
  readonly seq: RequestSeq
  readonly server: string
  readonly memory: TalkState
  /** Begins the next conversation soon. */
  readonly again: () => void
  readonly log: (line: string) => void
}

/** How a conversation went, and when the next one is due. */
export type TalkOutcome =
  | { readonly kind: 'heard'; readonly nextSeconds: number }
  | {
      readonly kind: 'later'
      readonly why: string
      readonly retryAfterMs: number | null
      /** A device that a person is about to approve looks again soon. */
      readonly pauseMaxMs?: number
      readonly isPending?: boolean
    }

const reportsPerRequest = 100
const pendingPauseMs = 30_000
const factsEveryMs = 86_400_000

/** One conversation: reports first, so that the server knows everything when it answers the check-in. */
export async function talk(talking: Talk): Promise<TalkOutcome> {
  const told = await tellReports(talking)
  if (told) return told
  const facts = await talking.world.facts()
  const body = checkInBody(talking, facts)
  const reply = await send(talking, devicePaths.checkIn, body, CheckInAnswer)
  if (reply.kind !== 'ok') return laterFrom(talking, reply)
  rememberFacts(talking.memory, body)
  await hear(talking, reply.body)
  return { kind: 'heard', nextSeconds: reply.body.nextCheckInSeconds }
}

async function tellReports(talking: Talk): Promise<TalkOutcome | null> {
  for (;;) {
    const body = reportsBody(talking.world.journal.state)
    if (body === null) return null
    const reply = await send(talking, devicePaths.reports, body, ReportsAnswer)
    if (reply.kind !== 'ok') return laterFrom(talking, reply)
    const last = body.reports.at(-1)?.seq ?? 0
    // A server that took the batch and does not say so would be sent the same for ever: rather go on with the check-in.
    hearReports(talking, reply.body.serverEpoch, reply.body.reportHigh)
    if (reply.body.reportHigh < last) return null
  }
}

/** The next reports to tell, and the oldest one that is still here: a server back from a backup waits for none before it. */
export function reportsBody({ reports, reportAcked }: AgentState): Omit<Reports, 'seq'> | null {
  const batch = reports.filter(({ seq }) => seq > reportAcked).slice(0, reportsPerRequest)
  const low = reports[0]?.seq
  if (batch.length === 0 || low === undefined) return null
  return { protocol: deviceProtocolVersion, reports: batch, low }
}

async function send<Schema extends Parameters<typeof post>[1]>(
  talking: Talk,
  path: string,
  body: object,
  schema: Schema,
): ReturnType<typeof post<Schema>> {
  const { world, seq, clock, server } = talking
  const number = seq.next()
  const signedBy = { key: world.key, seq: number, now: clock.now() }
  return await post({ server, path, body: { ...body, seq: number }, signal: world.signal, signedBy }, schema)
}

function laterFrom({ seq }: Talk, reply: Exclude<Reply<unknown>, { kind: 'ok' }>): TalkOutcome {
  if (reply.kind === 'later') return reply
  if (reply.problem.code === 'replayed') seq.jump()
  const why = `the server refused (${reply.problem.code}): ${reply.problem.message}`
  const isPending = reply.problem.code === 'pending'
  return { kind: 'later', why, retryAfterMs: null, ...(isPending ? { pauseMaxMs: pendingPauseMs, isPending } : {}) }
}

function checkInBody({ world, memory }: Talk, facts: Facts): Omit<CheckIn, 'seq'> {
  const factsHash = hashFacts(facts)
  const isNews = memory.factsSentHash !== factsHash || memory.wantFacts
  const isDue = performance.now() - memory.factsSentAtMs > factsEveryMs
  const jobs = Object.values(world.journal.state.jobs)
  return {
    protocol: deviceProtocolVersion,
    generation: world.journal.state.generation,
    agentVersion,
    factsHash,
    ...(isNews || isDue ? { facts } : {}),
    jobs: jobs.slice(0, 50).map((job) => statusOf(world, job)),
    ask: jobs
      .filter((job) => effectOf(job) === 'ask')
      .map(({ id }) => id)
      .slice(0, 50),
    reportHigh: world.journal.state.reportHigh,
    metadataVersion: memoryOf(world.journal.state).timestampVersion,
  }
}

/** While nothing can be made durable no job moves, and that is what the server must see. */
function statusOf(world: World, job: Job): JobStatus {
  const { blind } = world.journal
  const progress = job.step === 'downloading' ? world.progress.get(job.id) : undefined
  const stuck = blind === null ? job.stuck : ({ reason: 'journal', detail: plainText(blind, 1000) } as const)
  return {
    id: job.id,
    step: job.step,
    ...(job.wait ? { wait: wireWait(job.wait) } : {}),
    ...(stuck ? { stuck } : {}),
    ...progress,
  }
}

function rememberFacts(memory: TalkState, body: Omit<CheckIn, 'seq'>): void {
  if (!body.facts) return
  memory.factsSentHash = body.factsHash
  memory.factsSentAtMs = performance.now()
  memory.wantFacts = false
}

async function hear(talking: Talk, answer: CheckInAnswer): Promise<void> {
  const { world, engine, clock, memory } = talking
  clock.heard(answer.serverTime)
  memory.sources = answer.sources
  memory.wantFacts = answer.wantFacts
  hearReports(talking, answer.serverEpoch, answer.reportHigh)
  if (answer.assignment) hearAssignment(talking, answer.assignment)
  // Noted, not fetched: only a job that looks brings newer files, so that a fleet at rest asks for none.
  if (world.authority.heard(answer.metadataVersion)) engine.lookAgain()
  engine.answer(answer.proceed, answer.hold)
  if (world.authority.isDue()) {
    world.authority.want()
    void bringAside(talking)
  }
  if (answer.wantMetadata === true) await returnMetadata(talking)
}

function hearAssignment(talking: Talk, assignment: Assignment): void {
  const { world, memory, engine } = talking
  const text = JSON.stringify(assignment.signatures)
  if (memory.refusedAssignment === text) return
  const refusal = takeAssignment(world, assignment)
  if (refusal === null) {
    world.authority.want()
    // A job that waits for a newer order need not wait for its next look as well.
    engine.lookAgain()
    return
  }
  if (refusal.refusal.code === 'DIRECTOR' && memory.doubtedAssignment !== text) {
    // The custodians may have named another director since; only their files can say so. The server sends it again.
    memory.doubtedAssignment = text
    world.authority.want()
    void bringAside(talking).then(talking.again)
    return
  }
  memory.refusedAssignment = text
  reportRefusal(world, assignment, refusal)
}

/** Beside the conversation, which no source of files may hold up. What comes of it is asked by whoever needs it. */
async function bringAside({ world, log }: Talk): Promise<void> {
  try {
    await world.authority.bring()
  } catch (error) {
    if (!world.signal.aborted) log(`Looking for newer files of the release boards: ${String(error)}.`)
  }
}

const metadataFilesMaxBytes = 8_000_000

/** A server back from a backup gets what this device has verified; whether it is worth anything its signer judges. */
async function returnMetadata(talking: Talk): Promise<void> {
  const files = talking.world.authority.files()
  const body: Omit<MetadataReturn, 'seq'> = { protocol: deviceProtocolVersion, files }
  if (Object.keys(files).length === 0 || JSON.stringify(body).length > metadataFilesMaxBytes) return
  // Whether it arrived nobody needs to know: a server that still wants it asks again.
  await send(talking, devicePaths.metadata, body, z.unknown())
}

/**
 * Everything up to `high` is stored there. A server that knows less than before came back from a backup: what is
 * retained above its number is told once more. One that knows more than we do saw a life of this key that we forgot.
 */
function hearReports({ world }: Talk, epoch: string, high: number): void {
  const { state } = world.journal
  const isAhead = high > state.reportHigh
  if (state.epoch === epoch && state.reportAcked === high && !isAhead && !state.mustAdoptReportHigh) return
  world.journal.append({
    t: 'heard',
    epoch,
    acked: high,
    ...(isAhead || state.mustAdoptReportHigh ? { adopted: true } : {}),
  })
}
