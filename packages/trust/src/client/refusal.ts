import type { Refusal } from '@bascule/domain/lib/result.ts'

/**
 * Why a device does not install. The code is what programs and the fleet page compare; it never changes its meaning.
 * `lift` says what the device does next: wait for newer metadata, for a newer assignment, for a time, or for a person.
 */
export interface AuthorityRefusal extends Refusal {
  readonly code: AuthorityCode
  readonly lift: Lift
}

export type Lift = 'metadata' | 'permit' | 'time' | 'person'
export type AuthorityCode = keyof typeof catalogue

/** What a check found: the code, and the fact in one sentence. */
export interface Finding {
  readonly code: AuthorityCode
  readonly fact: string
  /** The check that found it first, where another one passes it on. */
  readonly rule?: string
  /** Where who can help is known better than the code alone says. */
  readonly lift?: Lift
  readonly lifter?: string
  readonly next?: string
}

interface Entry {
  readonly lift: Lift
  readonly lifter: string
  readonly next: string
}

const signer = 'The people who run the server'
const board = 'The release board'
const custodians = 'The custodians'
const attack = 'Look for who sent this: an honest repository never does.'

const catalogue = {
  ROOT: entry('person', 'Whoever set up this device', 'Enrol the device again with the fingerprint of the root.'),
  UNAVAILABLE: entry('metadata', signer, 'Nothing: the device asks again by itself.'),
  ENDLESS: entry('metadata', signer, attack),
  FORM: entry('metadata', signer, attack),
  TOOMANY: entry('metadata', board, 'Withdraw releases that are no longer in use.'),
  KEYID: entry('person', custodians, attack),
  DUPKEY: entry('person', custodians, attack),
  THRESHOLD: entry('person', custodians, attack),
  DELEGATION: entry('person', custodians, attack),
  LEVEL: entry('person', 'The governance quorum of the board', 'Use keys that are kept as the board demands.'),
  EXPIRES: entry('person', signer, attack),
  ISSUED: entry('person', signer, 'Check the clock of the device and of the signer.'),
  QUORUM: entry('metadata', board, 'Collect the missing signatures and publish again.'),
  EXPIRED: entry('metadata', board, 'Renew the file that has expired.'),
  ROLLBACK: entry('person', board, 'Sign what comes after that which this device has seen, or sign a back-out.'),
  MIX: entry('metadata', signer, attack),
  TUF: entry('metadata', signer, attack),
  DIRECTOR: entry('person', custodians, attack),
  DEVICE: entry('person', signer, attack),
  REPLAY: entry('permit', signer, 'Nothing: the next assignment has a higher number.'),
  STALE: entry('permit', signer, 'Nothing: the device asks for a new assignment by itself.'),
  JOB: entry('permit', signer, 'Nothing: the device asks for a new assignment by itself.'),
  PATH: entry('person', signer, attack),
  BOARD: entry('metadata', board, 'The board signs the release, or the rollout ends.'),
  MISMATCH: entry('person', signer, attack),
  MANIFEST: entry('person', signer, attack),
  STOPLIST: entry('metadata', board, 'Publish the stop list again; a device installs nothing without it.'),
  WITHDRAWN: entry('metadata', board, 'Settle the stop, or send another release.'),
  IDENTITY: entry('person', board, 'Sign the release under its own name.'),
  PHASE: entry('metadata', board, 'Open the phase with a new signature, or leave the device out of it.'),
  NOTBEFORE: entry('time', 'The calendar of the release', 'Nothing: the device begins by itself.'),
  NOTAFTER: entry('metadata', board, 'Sign the phase with a later end.'),
  AUDIENCE: entry('permit', signer, 'Order only devices that belong to the phase.'),
  REMOVE: entry('person', board, 'Sign that the software may be removed.'),
} as const satisfies Record<string, Entry>

/** The whole refusal: the rule is the name of the check that found it. */
export function refusalFrom(check: string, { code, rule = check, ...found }: Finding): AuthorityRefusal {
  return { code, rule, ...catalogue[code], ...found }
}

function entry(lift: Lift, lifter: string, next: string): Entry {
  return { lift, lifter, next }
}
