import { unreachable } from '../lib/result.ts'
import type { CaseKind, CaseState } from './case.ts'

/** What the sentences about a case are made of. Instants are ISO strings. */
export interface WhatDevicesMayDo {
  readonly kind: CaseKind
  readonly state: CaseState
  readonly release: string
  /** Name and version as people speak of it: "Sales Desk 2.0". */
  readonly title: string
  readonly audience: number
  readonly phases: readonly { readonly order: number; readonly devices: number; readonly notBefore: string | null }[]
  /** Whether the role of this case lists the release with these bytes now. */
  readonly isListed: boolean
  readonly isStopped: boolean
  readonly serverDecidesWho: boolean
  /** Releases that devices may go back to with the same signature. */
  readonly returnsTo: readonly string[]
  /** Releases that leave the list with the same signature. */
  readonly retires: readonly string[]
  readonly backOutFrom: string | null
  readonly autoBackout: boolean
  readonly mayRemove: boolean
  readonly signatures: number
  readonly threshold: number
  readonly deferredUntil: string | null
  /** When the file of the role ends; null without one. */
  readonly expiresAt: string | null
}

/** What a signature would mean, in plain sentences. */
export function whatIsAsked(facts: WhatDevicesMayDo): string[] {
  const { kind, title, release } = facts
  switch (kind) {
    case 'go':
      return [`May ${reach(facts)} install ${title}${fromWhen(facts)}?`, ...conditions(facts)]
    case 'emergency':
      return [
        `May ${reach(facts)} install ${title}${fromWhen(facts)}, as an emergency?`,
        'The full board has to ratify it within two weeks, or nobody may install it any more.',
        ...conditions(facts),
      ]
    case 'ratify':
      return [`Does the board take the emergency release of ${title} over? Without it, it lapses.`]
    case 'open-phases':
      return [`May ${title} go to further phases?`]
    case 'withdraw':
      return [`Should ${title} leave the list? Nobody installs it any more; what is installed stays.`]
    case 'back-out-from':
      return [`May devices with ${facts.backOutFrom ?? 'a later release'} go back to ${release}, ${title}?`]
    case 'stop':
      return [`Should no device install ${title} any more, from now on?`]
    case 'lift-stop':
      return [`May devices install ${title} again, where it is still signed?`]
    default:
      return unreachable(kind)
  }
}

/** What devices may do at this moment, whatever was asked. */
export function devicesMayNow(facts: WhatDevicesMayDo): string[] {
  const { kind, release, title, isStopped } = facts
  if (isStopped) return [`Nobody may install ${title}: it is on the stop list.`]
  switch (kind) {
    case 'go':
    case 'emergency':
    case 'ratify':
    case 'open-phases':
      return facts.isListed ? mayInstall(facts) : mayNotInstall(facts)
    case 'withdraw':
      return [
        facts.isListed ? `Devices may install ${title} until the board withdraws it.` : `Nobody may install ${title}.`,
      ]
    case 'back-out-from': {
      const from = facts.backOutFrom ?? 'a later release'
      return isDecided(facts)
        ? [`Devices with ${from} may go back to ${release}.`]
        : [`Devices with ${from} may not go back to ${release}: ${progress(facts)}.`]
    }
    case 'stop':
    case 'lift-stop':
      return [`${title} is not on the stop list.`]
    default:
      return unreachable(kind)
  }
}

function mayInstall(facts: WhatDevicesMayDo): string[] {
  const { title, kind, returnsTo, expiresAt } = facts
  return [
    `${capital(reach(facts))} may install ${title}${fromWhen(facts)}.`,
    ...(facts.serverDecidesWho ? ['Which devices these are, the server decides.'] : []),
    ...(returnsTo.length > 0 ? [`Devices may go back to ${listOf(returnsTo)} without another signature.`] : []),
    ...(kind === 'emergency' && expiresAt !== null
      ? [`Without the full board nobody may install it after ${momentText(expiresAt)}.`]
      : []),
  ]
}

function mayNotInstall(facts: WhatDevicesMayDo): string[] {
  const { state, deferredUntil } = facts
  if (state === 'open') return [`Nobody may install it: ${progress(facts)}.`]
  if (state === 'deferred')
    return [`Nobody may install it: the board decides again on ${dayText(deferredUntil ?? '')}.`]
  if (state === 'no-go') return ['Nobody may install it: the board said no.']
  return ['Nobody may install it.']
}

function conditions({ returnsTo, retires, autoBackout, mayRemove, serverDecidesWho }: WhatDevicesMayDo): string[] {
  return [
    ...(serverDecidesWho ? ['Which devices these are is not signed: the server decides who.'] : []),
    returnsTo.length > 0
      ? `Devices may go back to ${listOf(returnsTo)} without another signature.`
      : 'Going back to an earlier release needs another signature.',
    ...(retires.length > 0 ? [`${listOf(retires)} can no longer be installed; what is installed stays.`] : []),
    autoBackout
      ? 'A device whose health check fails goes back by itself.'
      : 'A device whose health check fails stays as it is and calls for a person.',
    ...(mayRemove ? ['The server may order devices to remove it where there was nothing before.'] : []),
  ]
}

function isDecided({ state }: WhatDevicesMayDo): boolean {
  return state === 'go' || state === 'fulfilled'
}

function progress({ signatures, threshold }: WhatDevicesMayDo): string {
  return `${signatures} of ${threshold} signature${threshold === 1 ? '' : 's'}`
}

function reach({ audience, phases }: WhatDevicesMayDo): string {
  const count = phases.length
  return `${numberText(audience)} device${audience === 1 ? '' : 's'} in ${count} phase${count === 1 ? '' : 's'}`
}

/** When the first device may begin; nothing where no phase has a day. */
function fromWhen({ phases }: WhatDevicesMayDo): string {
  const starts = phases.map(({ notBefore }) => notBefore)
  if (starts.length === 0 || starts.includes(null)) return ''
  const first = starts.flatMap((at) => at ?? []).toSorted((a, b) => Date.parse(a) - Date.parse(b))[0]
  return first === undefined ? '' : ` from ${momentText(first)}`
}

const months = 'January February March April May June July August September October November December'.split(' ')

function dayText(day: string): string {
  const [year = '', month = '', date = ''] = day.slice(0, 10).split('-')
  return `${Number(date)} ${months[Number(month) - 1] ?? month} ${year}`
}

/** In the time zone of nobody in particular, and said so. */
function momentText(at: string): string {
  const utc = Temporal.Instant.from(at).toString({ smallestUnit: 'minute' })
  return `${dayText(utc)} ${utc.slice(11, 16)} UTC`
}

function numberText(count: number): string {
  return count.toString().replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
}

function listOf(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
