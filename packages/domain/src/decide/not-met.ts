import type { Refusal } from '../lib/result.ts'
import type { CaseKind } from './case.ts'

/** What is known about a case beside what it asks. Instants are ISO strings. */
export interface Circumstances {
  readonly kind: CaseKind
  readonly role: string
  readonly askedById: string
  readonly askedBy: string
  readonly threshold: number
  /** The keys that count, with who is known to stand behind them. */
  readonly members: readonly {
    readonly keyId: string
    readonly personId: string | null
    readonly name: string
    readonly level: number | null
    readonly hasSigned: boolean
  }[]
  readonly phases: readonly {
    readonly order: number
    readonly devices: number
    readonly audienceRoot: string | null
    readonly notAfter: string | null
  }[]
  readonly now: string
}

/**
 * What a careful member would ask about before signing. None of it takes the decision away from the quorum: the
 * metadata counts keys, and what it cannot count is said here.
 */
export function notMetOf(circumstances: Circumstances): Refusal[] {
  return [
    ...onlyOneDecides(circumstances),
    ...oneBehindTwoKeys(circumstances),
    ...askerSigns(circumstances),
    ...weakKeys(circumstances),
    ...(letsOut(circumstances) ? [...serverDecides(circumstances), ...late(circumstances)] : []),
  ]
}

const board = 'The governance quorum of the board'

function letsOut({ kind }: Circumstances): boolean {
  return kind === 'go' || kind === 'emergency' || kind === 'ratify'
}

/** Anybody may stop alone; that is what a stop is for. */
function onlyOneDecides({ kind, threshold, role }: Circumstances): Refusal[] {
  if (threshold > 1 || kind === 'stop' || kind === 'lift-stop') return []
  const fact = `One signature decides for ${role}.`
  return [{ rule: 'two-people-decide', fact, lifter: board, next: 'Let more than one member have to sign.' }]
}

function oneBehindTwoKeys({ members, role }: Circumstances): Refusal[] {
  const byPerson = Map.groupBy(
    members.filter(({ personId }) => personId !== null),
    ({ personId }) => personId,
  )
  return [...byPerson.values()]
    .filter((keys) => keys.length > 1)
    .map((keys) => ({
      rule: 'one-person-one-key',
      fact: `${keys[0]?.name ?? 'Somebody'} holds ${keys.length} of the ${members.length} keys of ${role}, and each counts.`,
      lifter: board,
      next: 'Take all but one key of this person out of the role.',
    }))
}

function askerSigns({ members, askedById, askedBy }: Circumstances): Refusal[] {
  const own = members.filter(({ personId }) => personId === askedById)
  if (own.length === 0) return []
  const hasSigned = own.some((member) => member.hasSigned)
  return [
    {
      rule: 'asker-is-not-the-decider',
      fact: `This was asked by ${askedBy}, who also ${hasSigned ? 'signs' : 'may sign'}.`,
      lifter: 'Another member of the board',
      next: 'Let the quorum be reached without the one who asked.',
    },
  ]
}

function weakKeys({ members }: Circumstances): Refusal[] {
  const weak = members.filter(({ level }) => level === 1)
  if (weak.length === 0) return []
  return [
    {
      rule: 'keys-survive-the-server',
      fact: `${weak.map(({ name }) => name).join(', ')} sign${weak.length === 1 ? 's' : ''} with a key that a stolen server could use.`,
      lifter: board,
      next: 'Move to a passkey or to bascule sign, and have the board demand it.',
    },
  ]
}

function serverDecides({ phases }: Circumstances): Refusal[] {
  if (!phases.some(({ audienceRoot, devices }) => audienceRoot === null && devices > 0)) return []
  return [
    {
      rule: 'audience-is-signed',
      fact: 'Which devices belong to a phase is not part of what is signed: the server decides who.',
      lifter: 'Whoever plans the release',
      next: 'Ask with an audience that is frozen.',
    },
  ]
}

function late({ phases, now }: Circumstances): Refusal[] {
  return phases
    .filter(({ notAfter }) => notAfter !== null && Date.parse(notAfter) <= Date.parse(now))
    .map(({ order, notAfter }) => ({
      rule: 'phase-can-still-begin',
      fact: `Phase ${order} had to be done by ${notAfter}, which is past.`,
      lifter: 'Whoever plans the release',
      next: 'Take the question back and plan the phase anew.',
    }))
}
