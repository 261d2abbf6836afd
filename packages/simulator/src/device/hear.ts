import type {
  Assignment,
  CheckIn,
  CheckInAnswer,
  DeviceProblem,
  Enrolled,
  ReportsAnswer,
} from '@bascule/contract/device/protocol.ts'
import type { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import type { Result } from '@bascule/domain/lib/result.ts'
import { verifyAssignment } from '@bascule/trust/assignment.ts'
import type { AuthorityRefusal } from '@bascule/trust/client/refusal.ts'
import type { VerifiedAuthority } from '@bascule/trust/client/verified-authority.ts'
import { jobFaultsOf } from '#/habit/faults.ts'
import { lot } from '#/habit/lot.ts'
import { allowed, authoriseJob, refused } from './authorise-job.ts'
import { changeJob, paceOf } from './change-job.ts'
import type { Device, World } from './device.ts'
import { mayInstall, withdraw, type SimJob } from './job.ts'

/** What is the same for every device, fetched and verified once for the whole fleet. */
export interface Knowledge {
  /** Release manifests by SHA-256. */
  readonly manifests: ReadonlyMap<string, { readonly manifest: ReleaseManifest; readonly bytes: Uint8Array }>
  readonly authority: Result<VerifiedAuthority, AuthorityRefusal>
}

export function hearEnrolled(world: World, device: Device, answer: Enrolled, nowMs: number): Device {
  return {
    ...device,
    state: answer.state,
    directorKey: answer.directorKey,
    factsHashTold: device.factsHash,
    failedTries: 0,
    nextCheckInMs: nextCheckIn(world, device, answer.nextCheckInSeconds, nowMs),
  }
}

export function hearCheckIn(
  world: World,
  device: Device,
  said: CheckIn,
  answer: CheckInAnswer,
  known: Knowledge,
  nowMs: number,
): Device {
  let current: Device = {
    ...device,
    state: 'active',
    failedTries: 0,
    factsHashTold: answer.wantFacts ? '' : said.factsHash,
    nextCheckInMs: answer.wantFacts ? nowMs : nextCheckIn(world, device, answer.nextCheckInSeconds, nowMs),
    // A server that knows more than we do saw an earlier run of this device.
    ...stored(device, answer.reportHigh),
    reportHigh: Math.max(device.reportHigh, answer.reportHigh),
  }
  if (answer.assignment) current = takeAssignment(world, current, answer.assignment, known, nowMs)
  for (const job of current.jobs.filter(({ wait }) => wait?.refusal)) {
    current = changeJob(world, current, job, judged(world, current, job, known, nowMs), nowMs)
  }
  for (const job of current.jobs.filter(({ id }) => answer.proceed.includes(id))) {
    current = changeJob(world, current, job, mayInstall(job, paceOf(world, current), nowMs), nowMs)
  }
  return current
}

/** After its reports a device checks in at once, as an agent does: the answer may hold what follows from them. */
export function hearReports(device: Device, answer: ReportsAnswer, nowMs: number): Device {
  return { ...device, failedTries: 0, ...stored(device, answer.reportHigh), nextCheckInMs: nowMs }
}

const busyAgainMs = 5000
const pendingAgainMs = 30_000
const refusedAgainMs = 300_000
const seqJump = 1_000_000

export function hearProblem(world: World, device: Device, problem: DeviceProblem, nowMs: number): Device {
  switch (problem.code) {
    case 'pending':
      return { ...device, state: 'pending', awayUntilMs: nowMs + pendingAgainMs }
    case 'revoked':
      return { ...device, state: 'revoked' }
    case 'replayed':
      return { ...device, requestSeq: device.requestSeq + seqJump }
    case 'busy':
      return { ...device, awayUntilMs: nowMs + busyAgainMs }
    case 'bad-input':
    case 'bad-signature':
    case 'unknown-device':
    case 'token-refused':
    case 'too-large':
      return { ...device, awayUntilMs: nowMs + refusedAgainMs * (0.5 + lot(world.seed, 'again', device.index)) }
    default:
      throw new Error(`Unknown problem ${JSON.stringify(problem.code satisfies never)}`)
  }
}

const firstRetryMs = 250
const lastRetryMs = 30_000

/** Nobody answered: again after a while that doubles, each device at a moment of its own. */
export function hearNothing(world: World, device: Device, nowMs: number): Device {
  const failedTries = device.failedTries + 1
  const pauseMs = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(10, failedTries))
  const spread = 0.5 + lot(world.seed, 'retry', device.index, failedTries)
  return { ...device, failedTries, awayUntilMs: nowMs + pauseMs * spread }
}

function stored(device: Device, high: number): Pick<Device, 'acked' | 'reports'> {
  return {
    acked: Math.max(device.acked, high),
    reports: device.reports.length === 0 ? device.reports : device.reports.filter(({ seq }) => seq > high),
  }
}

function nextCheckIn({ seed, intervalSeconds }: World, device: Device, asked: number, nowMs: number): number {
  const jitter = 0.9 + 0.2 * lot(seed, 'jitter', device.index, device.requestSeq)
  return nowMs + (intervalSeconds ?? asked) * 1000 * jitter
}

/** Checked as an agent checks it: signed by the pinned key, for this device, not older than what it has. */
function takeAssignment(world: World, device: Device, assignment: Assignment, known: Knowledge, nowMs: number): Device {
  if (!device.directorKey) throw new Error(`${device.name} has no director key and cannot take an assignment`)
  const checked = verifyAssignment(assignment, {
    directorKey: device.directorKey,
    device: device.key.keyId,
    lastGeneration: device.generation,
    now: Temporal.Instant.from(world.stamp(nowMs)),
  })
  if (!checked.ok) throw new Error(`${device.name} refuses its assignment: ${checked.error.message}`)
  const { version: generation, targets } = checked.value
  const wanted = Object.values(targets)
  let current: Device = { ...device, generation, assignment }
  for (const job of device.jobs.filter(({ id }) => !wanted.some(({ custom }) => custom.job === id))) {
    current = changeJob(world, current, job, withdraw(job), nowMs)
  }
  for (const { custom, hashes } of wanted) {
    const isKnown = current.finished.includes(custom.job) || current.jobs.some(({ id }) => id === custom.job)
    const manifest = known.manifests.get(hashes.sha256)?.manifest
    if (isKnown || !manifest) continue
    const attempt = (current.attempts[custom.release] ?? 0) + 1
    const job = beginJob(world, current, { custom, generation, manifestSha256: hashes.sha256, manifest }, nowMs)
    current = { ...current, attempts: { ...current.attempts, [custom.release]: attempt }, jobs: [...current.jobs, job] }
    const now = judged(world, current, job, known, nowMs)
    const isHere = !now.wait && hasAlready(current, job)
    current = changeJob(
      world,
      current,
      job,
      isHere ? { ...now, step: 'already-present', untilMs: Infinity } : now,
      nowMs,
    )
  }
  return current
}

function judged(world: World, device: Device, job: SimJob, known: Knowledge, nowMs: number): SimJob {
  const answer = authoriseJob(world, device, job, known, nowMs)
  return answer.ok ? allowed(job, answer.value, nowMs) : refused(job, answer.error, world.stamp(nowMs))
}

function hasAlready({ installed }: Device, { custom, manifest }: SimJob): boolean {
  return (
    custom.action === 'install' && manifest.packages.every(({ name, version }) => installed[name]?.version === version)
  )
}

type Order = Pick<SimJob, 'custom' | 'generation' | 'manifestSha256' | 'manifest'>

function beginJob(world: World, device: Device, order: Order, nowMs: number): SimJob {
  const { release } = order.custom
  const attempt = (device.attempts[release] ?? 0) + 1
  const faults = jobFaultsOf(world.rates, world.seed, { device: device.index, release, attempt })
  const before = order.manifest.packages.map(({ name }) => [name, device.installed[name]?.version ?? null] as const)
  return {
    ...order,
    id: order.custom.job,
    faults,
    flapsLeft: faults.flaps,
    before: Object.fromEntries(before),
    step: 'received',
    untilMs: nowMs,
    startedAtMs: nowMs,
    notes: [],
    hasDied: false,
  }
}
