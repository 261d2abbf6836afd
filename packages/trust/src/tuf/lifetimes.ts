import { expiryFrom } from '#/expiry.ts'
import { type RoleKind, roleNameFrom } from './names.ts'

/**
 * How long each kind of document lives. The maximum is enforced by every reader, so that a stolen online key cannot
 * mint a timestamp that is fresh until 2099. Expiry stops new installations only; nothing installed is ever removed.
 */
export interface Lifetime {
  /** What a builder writes when nobody says otherwise. */
  readonly usualDays: number
  /** What a reader accepts at most. */
  readonly maxDays: number
  /** Days before the end at which people, or the signer, are told. */
  readonly warnDays: readonly number[]
  /** Who renews it: people at a ceremony, the signer by itself, or nobody (ratify instead). */
  readonly renewedBy: 'people' | 'signer' | 'nobody'
}

const people = { warnDays: [90, 60, 30, 14], renewedBy: 'people' } as const

export const lifetimes: Readonly<Record<RoleKind, Lifetime>> = {
  root: { usualDays: 400, maxDays: 400, ...people },
  targets: { usualDays: 365, maxDays: 400, ...people },
  board: { usualDays: 365, maxDays: 400, ...people },
  line: { usualDays: 180, maxDays: 400, warnDays: [30, 14, 7], renewedBy: 'people' },
  stop: { usualDays: 180, maxDays: 400, warnDays: [30, 14, 7], renewedBy: 'people' },
  emergency: { usualDays: 14, maxDays: 14, warnDays: [7, 3, 1], renewedBy: 'nobody' },
  snapshot: { usualDays: 7, maxDays: 7, warnDays: [6], renewedBy: 'signer' },
  timestamp: { usualDays: 2, maxDays: 2, warnDays: [1], renewedBy: 'signer' },
  director: { usualDays: 6, maxDays: 7, warnDays: [1], renewedBy: 'signer' },
}

/** A site without a network carries its metadata by hand, once in a while. */
export type FreshnessProfile = 'connected' | 'air-gapped'
const airGappedDays = 30

/** Two clocks may differ by this before a full life looks too long. */
export const clockTolerance = Temporal.Duration.from({ hours: 1 })

/** The longest life a reader accepts of a document of this kind. */
export function lifetimeMax(kind: RoleKind, profile: FreshnessProfile = 'connected'): Temporal.Duration {
  const isOnline = kind === 'snapshot' || kind === 'timestamp'
  const days = isOnline && profile === 'air-gapped' ? airGappedDays : lifetimes[kind].maxDays
  return Temporal.Duration.from({ hours: 24 * days })
}

/** When a document made now ends, if nobody says otherwise. */
export function usualExpiry(kind: RoleKind, at: Temporal.Instant): Temporal.Instant {
  return at.add({ hours: 24 * lifetimes[kind].usualDays })
}

/** A document that somebody has to renew, and how urgent that is. */
export interface RenewalDue {
  readonly role: string
  readonly kind: RoleKind
  readonly expiresAt: Temporal.Instant
  /** Whole days left, rounded down; negative once it has expired. */
  readonly daysLeft: number
  readonly renewedBy: Lifetime['renewedBy']
  readonly state: 'due' | 'expired'
}

/** What is due at this time, the most urgent first. An emergency shows up as a debt: ratify it or it lapses. */
export function renewalsDue(
  documents: Readonly<Record<string, { readonly expires: string }>>,
  at: Temporal.Instant,
): RenewalDue[] {
  const due = Object.entries(documents).flatMap(([role, { expires }]) => {
    const kind = roleNameFrom(role)?.kind
    const expiresAt = expiryFrom(expires)
    if (kind === undefined || expiresAt === undefined) return []
    const { warnDays, renewedBy } = lifetimes[kind]
    const daysLeft = Math.floor(at.until(expiresAt).total('hours') / 24)
    if (daysLeft >= Math.max(...warnDays)) return []
    const state = Temporal.Instant.compare(expiresAt, at) <= 0 ? ('expired' as const) : ('due' as const)
    return [{ role, kind, expiresAt, daysLeft, renewedBy, state }]
  })
  return due.sort((a, b) => Temporal.Instant.compare(a.expiresAt, b.expiresAt))
}
