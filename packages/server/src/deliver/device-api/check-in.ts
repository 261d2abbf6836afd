import type { Assignment, CheckIn, CheckInAnswer } from '@bascule/contract/device/protocol.ts'
import type { Fleet } from '#/estate/device/fleet.ts'
import type { Db } from '#/platform/db/database.ts'
import type { GroupCommit } from '#/platform/lib/group-commit.ts'
import type { Ask, Grant } from '../job/grant-installs.ts'
import type { Standing } from '../job/follow-steps.ts'
import { isRunningOut } from '../job/issue-assignments.ts'
import type { Offer, Offered } from '../job/offer-jobs.ts'
import type { RunningRollouts } from '../rollout/running-rollouts.ts'
import type { MetadataAsks } from './metadata-asks.ts'
import { storable } from './storable.ts'

export interface CheckInServices {
  readonly db: Db
  readonly fleet: Fleet
  readonly running: RunningRollouts
  readonly offers: GroupCommit<Offer, Offered>
  readonly grants: GroupCommit<Ask, Grant>
  readonly standings: GroupCommit<Standing, void>
  readonly saveFacts: (
    deviceId: number,
    facts: NonNullable<CheckIn['facts']>,
    factsHash: string,
    agentVersion: string,
  ) => Promise<void>
  readonly epoch: string
  /** Version of the newest timestamp that this server hands out; 0 before the first ceremony. From memory. */
  readonly metadataVersion: () => number
  readonly metadataAsks: MetadataAsks
  /** Base URLs of sources to try before the server itself. */
  readonly sources: readonly string[]
  /** Seconds until the next check-in of a device with nothing to do, and of one with work. */
  readonly idleSeconds: number
  readonly busySeconds: number
}

/**
 * Answers one check-in of a known, active device. With nothing new it is answered from memory alone: no query. Facts,
 * a new phase, a question at the gate or an old generation cost what they need and no more.
 */
export async function checkIn(
  services: CheckInServices,
  device: number,
  said: CheckIn,
  now: Temporal.Instant,
): Promise<CheckInAnswer> {
  const { fleet, running } = services
  fleet.touch(device, now.epochMilliseconds)
  if (said.facts) await services.saveFacts(device, storable(said.facts), said.factsHash, said.agentVersion)
  const work = running.workFor(device)
  const known = fleet.generation(device)
  // A device that is ahead heard a server from before a backup, or another one: what is stored here it would refuse.
  const isAhead = said.generation > known
  const mustRenew = isAhead || ((said.jobs.length > 0 || said.generation < known) && runsOut(running, device, now))
  if (work.length > 0 || running.isStale(device) || mustRenew) await offer(services, device, work)
  await follow(services, device, said.jobs)
  const generation = fleet.generation(device)
  const grants = await Promise.all(said.ask.map((id) => services.grants.add({ deviceId: device, jobId: Number(id) })))
  const asked = said.ask.map((job, at) => ({ job, grant: grants[at] }))
  const assignment = said.generation === generation ? undefined : await assignmentOf(services.db, device)
  const busy = assignment !== undefined || said.jobs.length > 0
  const metadataVersion = services.metadataVersion()
  const wantMetadata = services.metadataAsks.asks(device, said.metadataVersion ?? 0, metadataVersion, now)
  return {
    serverEpoch: services.epoch,
    serverTime: now.toString(),
    reportHigh: fleet.reportHigh(device),
    generation,
    ...(assignment ? { assignment } : {}),
    proceed: asked.filter(({ grant }) => grant?.proceed === true).map(({ job }) => job),
    hold: asked.flatMap(({ job, grant }) =>
      grant && !grant.proceed ? [{ job, reason: grant.reason.slice(0, 500) }] : [],
    ),
    sources: [...services.sources],
    wantFacts: said.facts === undefined && said.factsHash !== fleet.factsHash(device),
    metadataVersion,
    ...(wantMetadata ? { wantMetadata } : {}),
    nextCheckInSeconds: busy ? services.busySeconds : services.idleSeconds,
  }
}

/** What a device said the last time is remembered: only a new step or reason costs anything, not a number in a sentence. */
async function follow({ running, standings }: CheckInServices, device: number, jobs: CheckIn['jobs']): Promise<void> {
  const standing = jobs.map(standingOf)
  if (!running.isNewStanding(device, standing.join('\n'))) return
  try {
    if (jobs.length > 0) await standings.add({ deviceId: device, jobs })
  } catch (cause) {
    running.forgetStanding(device)
    throw cause
  }
}

function standingOf({ id, step, wait, stuck }: CheckIn['jobs'][number]): string {
  const refusal = stuck?.refusal ?? wait?.refusal
  return [id, step, wait?.reason, stuck?.reason, refusal?.code, refusal?.rule].join(' ')
}

/** From memory; a device whose assignment another server made gets a fresh one here once. */
function runsOut(running: RunningRollouts, device: number, now: Temporal.Instant): boolean {
  const expiresAtMs = running.expiryOf(device)
  return expiresAtMs === undefined || (expiresAtMs !== null && isRunningOut(expiresAtMs, now))
}

/** The mark is taken away before the question: one that is set meanwhile is news, and stays. */
async function offer({ offers, running, fleet }: CheckInServices, device: number, work: Offer['work']): Promise<void> {
  const wasStale = running.isStale(device)
  running.setStale(device, false)
  try {
    const { generation, expiresAt, told } = await offers.add({ deviceId: device, work })
    for (const one of told) running.markTold(one.rolloutId, device, one.action)
    fleet.setGeneration(device, generation)
    running.setExpiry(device, expiresAt?.epochMilliseconds ?? null)
  } catch (cause) {
    running.setStale(device, wasStale)
    throw cause
  }
}

async function assignmentOf(db: Db, device: number): Promise<Assignment | undefined> {
  const row = await db.selectFrom('assignment').select('document').where('device_id', '=', device).executeTakeFirst()
  return (row?.document ?? undefined) as Assignment | undefined
}
