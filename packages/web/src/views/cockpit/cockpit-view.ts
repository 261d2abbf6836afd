import type { Client } from '#/api/client.ts'
import type { Cause, Healer } from '#/ui/CauseList.tsx'
import type { DeviceBucket } from '#/ui/DeviceBar.tsx'
import type { Stage } from '#/ui/lifecycle.ts'
import { countOf, formatCount, formatShortDay, formatDuration, formatMoment } from '#/ui/format.ts'

export type Release = Awaited<ReturnType<Client['plan']['release']['get']>>
export type Rollout = Awaited<ReturnType<Client['deliver']['rollout']['get']>>
export type Phase = Rollout['phases'][number]
type Tally = Rollout['whole']

const beforeRollout: ReadonlySet<string> = new Set([
  'draft',
  'planned',
  'building',
  'testing',
  'accepting',
  'authorised',
  'on-hold',
  'cancelled',
])

/** Whether a rollout of it has begun. A manifest says less: it is frozen when the board is asked. */
export function hasRollout({ state, lifecycle }: Pick<Release, 'state' | 'lifecycle'>): boolean {
  return !beforeRollout.has(state) || lifecycle.some(({ key, since }) => key === 'rollout' && since !== null)
}

/** Whether the plan is with its board: fixed, and nobody may change it. */
export function isFrozen({ state }: Pick<Release, 'state'>): boolean {
  return state === 'accepting' || state === 'authorised'
}

/** Whether the board can be asked for a Go now. */
export function isAskable({ state }: Pick<Release, 'state'>): boolean {
  return state === 'draft' || state === 'planned'
}

/** How the devices of a tally stand. The answer adds up to its size, whatever has gone quiet meanwhile. */
export function deviceCounts(tally: Tally): Record<DeviceBucket, number> {
  const inBucket = (bucket: keyof Tally['byBucket']) => tally.byBucket[bucket] ?? 0
  // Quiet devices were taken out of "in progress" but not out of its finer parts.
  let left = inBucket('in-progress')
  const take = (wanted: number) => {
    const taken = Math.min(wanted, left)
    left -= taken
    return taken
  }
  const installing = take(tally.installing)
  const downloading = take(tally.downloading)
  return {
    verified: inBucket('succeeded'),
    'already-present': inBucket('already-present'),
    installing,
    downloading,
    offered: left,
    blocked: inBucket('blocked'),
    silent: inBucket('silent'),
    failed: inBucket('failed'),
    'backed-out': inBucket('rolled-back'),
    excused: inBucket('excused'),
    'not-applicable': inBucket('not-applicable'),
    cancelled: inBucket('cancelled'),
    superseded: inBucket('superseded'),
    'not-started': inBucket('not-started'),
  }
}

/** The phase a person means by "now": the last that has begun, else the first. */
export function currentPhase(rollout: Rollout): Phase | undefined {
  return rollout.phases.findLast((phase) => !isAhead(phase)) ?? rollout.phases[0]
}

function isAhead(phase: Phase): boolean {
  return phase.state === 'waiting' || phase.state === 'preparing'
}

export function hasBegun(phase: Phase): boolean {
  return !isAhead(phase) && phase.state !== 'skipped'
}

/** "Rolling out, phase 2 of 4"; undefined where the state's own word says it all. */
export function stateLabel(rollout: Rollout): string | undefined {
  const phase = currentPhase(rollout)
  if (phase === undefined || rollout.phases.length < 2) return undefined
  const where = `phase ${phase.order} of ${rollout.phases.length}`
  if (rollout.state === 'running') return `Rolling out, ${where}`
  if (rollout.state === 'paused') return `Paused, ${where}`
  return undefined
}

/** The verified share of those whose install is decided, in percent; null before the first. */
export function successPercent(tally: Tally): number | null {
  const decided = tally.verified + tally.failures
  return decided === 0 ? null : Math.floor((tally.verified * 1000) / decided) / 10
}

/** How a phase proceeds, in two short lines. */
export function paceWords(limits: Phase['limits']): readonly [string, string] {
  const soak = limits.soakSeconds === 0 ? 'no soak' : `soaks ${formatDuration(limits.soakSeconds)}`
  const from = limits.notBefore === null ? '' : `from ${formatMoment(limits.notBefore)}`
  const until = limits.notAfter === null ? '' : `until ${formatMoment(limits.notAfter)}`
  const window_ = [from, until].filter((part) => part !== '').join(' ')
  return [`At most ${formatCount(limits.inFlightMax)} at a time`, window_ === '' ? soak : `${window_}, ${soak}`]
}

/** What the person should know about a phase right now. */
export function phaseNote(phase: Phase): string {
  if (phase.state === 'soaking' && phase.soakEndsAt !== null) return `Soaks until ${formatMoment(phase.soakEndsAt)}`
  if (phase.state === 'waiting') return 'Opens when the phase before it is done'
  const late = phase.lateJoiners === 0 ? '' : ` ${countOf(phase.lateJoiners, 'device')} joined late.`
  if (phase.state === 'succeeded') return `Done ${formatMoment(phase.stateSince)}.${late}`
  return `${phase.verdict.because}${late}`
}

const healerOf: Record<Rollout['causes'][number]['turn'], Healer> = {
  'heals-itself': 'by-itself',
  user: 'user',
  desk: 'desk',
  engineer: 'engineer',
}

const kindWords: Record<Rollout['causes'][number]['kind'], string> = {
  failed: 'Failed',
  waiting: 'Waits',
  'rolled-back': 'Went back by itself',
  silent: 'Gone quiet',
}

export function causesOf(rollout: Rollout): Cause[] {
  return rollout.causes.map((cause) => ({
    healer: healerOf[cause.turn],
    what: cause.sentence,
    hint: `${kindWords[cause.kind]}: ${cause.cause}`,
    count: cause.devices,
    oldestAt: cause.oldestAt ?? undefined,
    // Silence is no job's; a failure or a wait is listed by its cause.
    link: cause.kind === 'silent' ? undefined : { releaseId: rollout.releaseId, cause: cause.cause },
  }))
}

/** The six stages with what to read under each. */
export function stagesOf(release: Release, rollout: Rollout | undefined, nowMs: number): Stage[] {
  return release.lifecycle.map((step, index) => ({
    key: step.key,
    status: isLeftOut(step) ? 'left-out' : step.status,
    note: stageNote(step, nextSince(release.lifecycle, index), rollout, nowMs),
    donePercent: step.key === 'rollout' && rollout !== undefined ? verifiedPercent(rollout.whole) : undefined,
  }))
}

type Step = Release['lifecycle'][number]

/** Behind the release and never reached. */
function isLeftOut(step: Step): boolean {
  return step.status === 'done' && step.since === null
}

/** A stage ends when the next one begins that the release went through. */
function nextSince(steps: readonly Step[], index: number): string | null {
  return steps.slice(index + 1).find((step) => step.since !== null)?.since ?? null
}

function stageNote(step: Step, endedAt: string | null, rollout: Rollout | undefined, nowMs: number): string {
  if (isLeftOut(step)) return 'left out'
  if (step.since === null) return ''
  if (step.status === 'done')
    return endedAt === null ? formatShortDay(step.since, nowMs) : spanWords(step.since, endedAt, nowMs)
  if (step.key !== 'rollout' || rollout === undefined) return `since ${formatShortDay(step.since, nowMs)}`
  const phase = currentPhase(rollout)
  return `${formatShortDay(step.since, nowMs)}${phase === undefined ? '' : ` · phase ${phase.order} of ${rollout.phases.length}`}`
}

function spanWords(from: string, until: string, nowMs: number): string {
  const first = formatShortDay(from, nowMs)
  const last = formatShortDay(until, nowMs)
  const days = first === last ? first : `${first} – ${last}`
  return `${days} · ${formatDuration((Date.parse(until) - Date.parse(from)) / 1000)}`
}

export function verifiedPercent(tally: Tally): number {
  return tally.countable === 0 ? 0 : (tally.verified / tally.countable) * 100
}

export interface NextMoment {
  label: string
  at: string
}

/** The next moment that is known beforehand: the end of a soak, or the time before which a phase must not open. */
export function nextMoment(rollout: Rollout, nowMs: number): NextMoment | null {
  if (rollout.state !== 'running') return null
  const moments = rollout.phases.flatMap((phase): NextMoment[] => {
    if (phase.state === 'soaking' && phase.soakEndsAt !== null) {
      return [{ label: `Phase ${phase.order} soaked`, at: phase.soakEndsAt }]
    }
    if (phase.state === 'waiting' && phase.limits.notBefore !== null) {
      return [{ label: `Phase ${phase.order} may open`, at: phase.limits.notBefore }]
    }
    return []
  })
  return (
    moments.filter((moment) => Date.parse(moment.at) > nowMs).toSorted((a, b) => a.at.localeCompare(b.at))[0] ?? null
  )
}
