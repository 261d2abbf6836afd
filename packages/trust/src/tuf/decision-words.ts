import type { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { unreachable } from '@bascule/domain/lib/result.ts'
import type { BoardDifference } from './board-draft.ts'
import type { ReleaseCustom, StopCustom } from './documents.ts'
import type { RoleDecision, RoleDifference } from './draft.ts'
import { targetPathFrom } from './names.ts'
import type { Difference } from './review-any.ts'
import type { RootDifference } from './root-draft.ts'

/**
 * What a signature would mean, in sentences. Everything here comes from the document itself and from what this machine
 * has verified, never from a text that the server wrote about it.
 */
export function roleWords(difference: RoleDifference, manifest?: ReleaseManifest): string[] {
  const { decision, version, role, expiresAt } = difference
  return [
    headlineOf(decision, role),
    ...('target' in decision ? targetWords(decision.target.custom, manifest) : []),
    ...detailsOf(decision, difference),
    ...(difference.kept.length > 0 ? [`Stays as it is: ${difference.kept.map(releaseIn).join(', ')}.`] : []),
    `This becomes version ${version} of ${role}, good until ${dayOf(expiresAt)}.`,
  ]
}

/** How a key is spoken of: its beginning, and a name where somebody knows one. */
export type NameOfKey = (keyId: string) => string

export function boardWords({ delegator, version, changes, expiresAt }: BoardDifference, nameOf: NameOfKey): string[] {
  const who = delegator === 'targets' ? 'the custodians’ delegations' : `the board ${delegator}`
  return [
    changes.length === 0 ? `${capital(who)} stay as they are and live longer.` : `Changes of ${who}:`,
    ...changes.flatMap((change) => quorumWords(change, nameOf)),
    `This becomes version ${version} of ${delegator}, good until ${dayOf(expiresAt)}.`,
  ]
}

export function rootWords({ version, changes, expiresAt }: RootDifference, nameOf: NameOfKey): string[] {
  return [
    changes.length === 0
      ? 'The root stays as it is and lives longer.'
      : 'Changes of the root, the anchor of every device:',
    ...changes.flatMap((change) => quorumWords(change, nameOf)),
    `This becomes version ${version} of root, good until ${dayOf(expiresAt)}.`,
  ]
}

/** The same, whatever the document is. */
export function differenceWords(difference: Difference, nameOf: NameOfKey, manifest?: ReleaseManifest): string[] {
  switch (difference.document) {
    case 'root':
      return rootWords(difference.difference, nameOf)
    case 'delegations':
      return boardWords(difference.difference, nameOf)
    case 'releases':
      return roleWords(difference.difference, manifest)
    default:
      return unreachable(difference)
  }
}

interface QuorumChange {
  readonly role: string
  readonly joins: readonly string[]
  readonly leaves: readonly string[]
  readonly threshold: { readonly before: number | undefined; readonly after: number | undefined }
}

function quorumWords({ role, joins, leaves, threshold: { before, after } }: QuorumChange, nameOf: NameOfKey): string[] {
  const head =
    after === undefined
      ? `${role} is removed: nobody decides there any more.`
      : before === undefined
        ? `${role} is new: ${signaturesOf(after)} of these keys decide there.`
        : before === after
          ? `${role} still needs ${signaturesOf(after)}.`
          : `${role} needs ${signaturesOf(after)} instead of ${before}.`
  return [
    `  ${head}`,
    ...joins.map((id) => `    joins   ${nameOf(id)}`),
    ...leaves.map((id) => `    leaves  ${nameOf(id)}`),
  ]
}

function headlineOf(decision: RoleDecision, role: string): string {
  switch (decision.kind) {
    case 'go':
      return `GO: ${releaseIn(decision.path)} may go out to the devices.`
    case 'emergency':
      return `EMERGENCY GO: ${releaseIn(decision.path)} may go out now; the board has to ratify it or it lapses.`
    case 'ratify':
      return `RATIFY: the emergency release ${releaseIn(decision.emergencyPath)} becomes a normal one.`
    case 'stop':
      return `STOP: no device installs ${releaseIn(decision.path)} any more, from now on.`
    case 'lift-stop':
      return `LIFT THE STOP of ${releaseIn(decision.path)}: devices may install it again where it is still signed.`
    case 'withdraw':
      return `WITHDRAW: ${releaseIn(decision.path)} leaves the list. Nobody installs it any more; nothing that is installed goes.`
    case 'back-out-from':
      return `GOING BACK: devices with ${decision.from} may go back to ${releaseIn(decision.path)}.`
    case 'open-phases':
      return `NEXT PHASES: ${releaseIn(decision.path)} may go to further phases.`
    case 'renew':
      return `RENEW: ${role} stays as it is and lives longer.`
    default:
      return unreachable(decision)
  }
}

function detailsOf(decision: RoleDecision, { removed, changed }: RoleDifference): string[] {
  if (decision.kind === 'open-phases') return phaseWords(decision.phases, phasesBefore(changed))
  if (decision.kind === 'emergency' || decision.kind === 'renew') {
    return removed.map((path) => `Leaves the list: ${releaseIn(path)}, an emergency that has lapsed.`)
  }
  if (decision.kind !== 'go') return []
  const returns = decision.returns.map(releaseIn).join(', ')
  return [
    ...removed.map((path) => `Leaves the list: ${releaseIn(path)}. What is installed stays installed.`),
    returns === ''
      ? 'Going back is not signed with this: it needs another decision.'
      : `Going back: from here devices may return to ${returns} without another signature.`,
  ]
}

/** How many phases were signed before; those do not change, so only what comes after them is news. */
function phasesBefore([first]: RoleDifference['changed']): number {
  return (first?.before as ReleaseCustom | undefined)?.phases.length ?? 0
}

function targetWords(custom: ReleaseCustom | StopCustom, manifest: ReleaseManifest | undefined): string[] {
  if (custom.kind === 'stop') return [`Reason: ${custom.reason}`]
  return [
    `Product line ${custom.productLine}, number ${custom.counter} of the line.`,
    ...(manifest ? manifestWords(manifest) : []),
    ...phaseWords(custom.phases),
    custom.autoBackout
      ? 'When its health check fails, a device goes back by itself.'
      : 'When its health check fails, a device stays as it is and calls for a person.',
    custom.mayRemove
      ? 'The server may order devices to remove it without a replacement.'
      : 'It may not be removed without a replacement.',
    custom.deadline === null
      ? 'Nobody is forced to install at a certain time.'
      : `From ${custom.deadline} on, an installation may be forced on people.`,
  ]
}

function manifestWords({ version, packages, offlineInstall }: ReleaseManifest): string[] {
  return [
    `Version ${version}, with ${packages.map((one) => `${one.name} ${one.version} (${one.index.digest.slice(0, 19)}…)`).join(', ')}.`,
    ...(offlineInstall ? ['Devices may install it without asking the server at that moment.'] : []),
  ]
}

/** The phases as signed; `from` says how many were signed before and stay as they are. */
function phaseWords(phases: ReleaseCustom['phases'], from = 0): string[] {
  return phases.slice(from).map(({ id, order, permille, audienceRoot, notBefore, notAfter }) => {
    const who =
      audienceRoot === null
        ? `up to ${shareOf(permille)} of all devices, and the server decides who`
        : `exactly the devices that were counted (list ${audienceRoot.slice(0, 12)}…), at most ${shareOf(permille)} of the audience`
    const when = [
      notBefore === null ? undefined : `not before ${notBefore}`,
      notAfter === null ? undefined : `not after ${notAfter}`,
    ].filter((text) => text !== undefined)
    return `Phase ${order} ${id}: ${[who, ...when].join(', ')}.`
  })
}

function releaseIn(path: string): string {
  const at = targetPathFrom(path)
  return at ? `${at.release} (${at.line})` : path
}

function shareOf(permille: number): string {
  return `${permille / 10} %`
}

function signaturesOf(count: number): string {
  return count === 1 ? 'one signature' : `${count} signatures`
}

function dayOf(at: Temporal.Instant): string {
  return at.toString().slice(0, 10)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
