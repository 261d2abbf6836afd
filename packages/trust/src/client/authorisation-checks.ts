import { assignmentLifetimeMax, assignmentTargetsMax } from '#/assignment.ts'
import { verifyDocument } from '#/envelope.ts'
import { expiryFrom } from '#/expiry.ts'
import { sha256Hex } from '#/keys.ts'
import { isInAudience } from '#/merkle.ts'
import { clockTolerance } from '#/tuf/lifetimes.ts'
import { targetPathFrom } from '#/tuf/names.ts'
import { audiencePosition } from './audience-position.ts'
import { type AuthorisationCase, recordOf } from './authorisation-case.ts'
import type { AuthorityCode, Finding } from './refusal.ts'

export interface AuthorisationCheck {
  readonly name: string
  readonly check: (question: AuthorisationCase) => Finding | undefined
}

/**
 * What a device asks before it installs, goes back or removes, in this order, each question in one function. The
 * director may only choose among what the board signed, inside the limits that the board signed: each of the two alone
 * moves nothing. No check relies on another one having run, and a test takes each away to see that it is missed.
 */
export const authorisationChecks: readonly AuthorisationCheck[] = [
  { name: 'authority-is-fresh', check: isFresh },
  { name: 'assignment-lists-few', check: listsFew },
  { name: 'director-signed', check: directorSigned },
  { name: 'assignment-has-a-form', check: hasForm },
  { name: 'assignment-delegates-nothing', check: delegatesNothing },
  { name: 'assignment-is-for-this-device', check: isForThisDevice },
  { name: 'assignment-is-not-older', check: isNotOlder },
  { name: 'assignment-is-alive', check: isAlive },
  { name: 'assignment-lifetime-in-bounds', check: lifetimeInBounds },
  { name: 'assignment-has-the-job', check: hasJob },
  { name: 'paths-have-a-shape', check: pathsHaveShape },
  { name: 'role-could-be-verified', check: roleVerified },
  { name: 'quorum-is-counted-again', check: quorumCounted },
  { name: 'line-belongs-to-one-board', check: lineOfOneBoard },
  { name: 'board-is-the-source', check: boardIsSource },
  { name: 'board-entry-is-understood', check: entryUnderstood },
  { name: 'director-and-board-agree', check: sameBytes },
  { name: 'manifest-is-the-signed-one', check: manifestBytes },
  { name: 'manifest-has-a-form', check: manifestForm },
  { name: 'stop-list-is-readable', check: stopListReadable },
  { name: 'stop-list-is-silent', check: stopListSilent },
  { name: 'all-name-the-same-release', check: sameIdentity },
  { name: 'phase-is-signed', check: phaseSigned },
  { name: 'phase-has-begun', check: phaseBegun },
  { name: 'phase-has-not-ended', check: phaseNotEnded },
  { name: 'device-is-in-the-audience', check: inAudience },
  { name: 'device-is-in-the-share', check: inShare },
  { name: 'counter-rises', check: counterRises },
  { name: 'back-out-is-signed', check: backOutSigned },
  { name: 'removal-is-signed', check: removalSigned },
  { name: 'removal-names-what-is-here', check: removesWhatIsHere },
]

/** An authority may be kept in memory for as long as none of its files has ended. */
function isFresh({ authority, entry, stops, at }: AuthorisationCase): Finding | undefined {
  const board = entry && authority.roles[entry.at.board]
  const files = [entry?.role, board, stops].flatMap((role) => (role ? [[role.name, role.expires] as const] : []))
  for (const [name, end] of [['the metadata', authority.freshUntil] as const, ...files]) {
    const endsAt = expiryFrom(end)
    if (!endsAt || Temporal.Instant.compare(endsAt, at) <= 0) return found('EXPIRED', `${name} ended at ${end}.`)
  }
  return undefined
}

function listsFew({ assignmentSigned }: AuthorisationCase): Finding | undefined {
  const count = Object.keys(recordOf(assignmentSigned['targets'])).length
  return count > assignmentTargetsMax ? found('TOOMANY', `The assignment names ${count} releases.`) : undefined
}

function directorSigned({ assignment, authority }: AuthorisationCase): Finding | undefined {
  const authentic = verifyDocument(assignment, authority.director)
  return authentic.ok ? undefined : found('DIRECTOR', authentic.error.message)
}

function hasForm({ parsed }: AuthorisationCase): Finding | undefined {
  return parsed ? undefined : found('FORM', 'The assignment is not of the agreed form.')
}

function delegatesNothing({ assignmentSigned }: AuthorisationCase): Finding | undefined {
  const isPlain = !Object.hasOwn(assignmentSigned, 'delegations')
  return isPlain ? undefined : found('DIRECTOR', 'The assignment delegates, and the director may not.')
}

function isForThisDevice({ assignmentSigned, deviceId }: AuthorisationCase): Finding | undefined {
  return assignmentSigned['x-device'] === deviceId
    ? undefined
    : found('DEVICE', 'The assignment is for another device.')
}

function isNotOlder({ assignmentSigned, memory }: AuthorisationCase): Finding | undefined {
  const version = Number(assignmentSigned['version'])
  if (version >= memory.assignmentVersion) return undefined
  return found('REPLAY', `Assignment ${version} is older than ${memory.assignmentVersion}, which this device has.`)
}

function isAlive({ assignmentSigned, at }: AuthorisationCase): Finding | undefined {
  const expiresAt = expiryFrom(assignmentSigned['expires'])
  if (expiresAt && Temporal.Instant.compare(expiresAt, at) > 0) return undefined
  return found('STALE', `The assignment ended at ${String(assignmentSigned['expires'])}.`)
}

function lifetimeInBounds({ assignmentSigned, at }: AuthorisationCase): Finding | undefined {
  const expiresAt = expiryFrom(assignmentSigned['expires'])
  const latest = at.add(assignmentLifetimeMax).add(clockTolerance)
  if (!expiresAt || Temporal.Instant.compare(expiresAt, latest) <= 0) return undefined
  return found('EXPIRES', `The assignment would live until ${expiresAt.toString()}, more than seven days.`)
}

function hasJob({ order, jobId }: AuthorisationCase): Finding | undefined {
  return order ? undefined : found('JOB', `The assignment has no job ${jobId}.`)
}

/** A stop can only deny, so nobody is ever sent to one. */
function pathsHaveShape({ assignmentSigned }: AuthorisationCase): Finding | undefined {
  const paths = Object.keys(recordOf(assignmentSigned['targets']))
  const bad = paths.find((path) => (targetPathFrom(path)?.kind ?? 'stop') === 'stop')
  return bad === undefined ? undefined : found('PATH', `${JSON.stringify(bad)} cannot name a release.`)
}

function roleVerified({ authority, roleName }: AuthorisationCase): Finding | undefined {
  if (roleName === undefined || !Object.hasOwn(authority.failures, roleName)) return undefined
  const failure = authority.failures[roleName]
  return failure && { code: failure.code, fact: failure.fact, rule: failure.rule }
}

/** The one number that everything rests on is counted twice, by two programs: tuf-js and ours, over distinct keys. */
function quorumCounted({ authority, entry, stops }: AuthorisationCase): Finding | undefined {
  const above = entry ? [authority.roles['targets'], authority.roles[entry.at.board]] : []
  for (const role of [...above, entry?.role, stops]) {
    if (!role || role.signers.length >= role.threshold) continue
    return found('QUORUM', `${role.name} is signed by ${role.signers.length} of ${role.threshold} keys.`)
  }
  return undefined
}

/**
 * What a line installs lies in one place on a device, whichever board the line is called after. The first board whose
 * release was installed here keeps the line: the custodians could delegate a line of the same name to another board,
 * and its quorum must not replace what others decide about.
 */
function lineOfOneBoard({ order, memory, installed }: AuthorisationCase): Finding | undefined {
  const at = order?.at
  if (!at) return undefined
  const boards = Object.keys(memory.installed).flatMap((key) => {
    const [board = '', line] = key.split('/')
    return line === at.line ? [board] : []
  })
  const board = [...boards, installed?.board].find((one) => one !== undefined && one !== at.board)
  if (board === undefined) return undefined
  const next = `Order releases of ${at.line} from ${board}; to hand the line to ${at.board}, enrol the device anew.`
  const fact = `${at.line} on this device belongs to the board ${board}; ${at.board} may not decide about it.`
  return { ...found('BOARD', fact), lift: 'person', lifter: 'Whoever set up this device', next }
}

function boardIsSource({ entry, roleName, order, action, kept }: AuthorisationCase): Finding | undefined {
  if (entry) return undefined
  if (action === 'remove') {
    const fact = `${roleName ?? 'No role'} does not list ${order?.path ?? 'the release'}: what is withdrawn, or was never signed, cannot say that it may be removed.`
    return { ...found('BOARD', fact), next: 'Send another release in its place, or remove the software by hand.' }
  }
  const what = action === 'back-out' ? `the release ${kept?.release ?? '(none)'} to go back to` : order?.path
  return found(
    'BOARD',
    `${roleName ?? 'No role'} does not list ${what ?? 'the release'}: nobody signed it for this device.`,
  )
}

function entryUnderstood({ entry }: AuthorisationCase): Finding | undefined {
  if (!entry || entry.custom) return undefined
  return found('FORM', `What ${entry.role.name} signed about ${entry.path} is not understood in full by this device.`)
}

/** In a back-out the director names what is left, and the board what comes back; they have no bytes in common. */
function sameBytes({ entry, order, action, installed }: AuthorisationCase): Finding | undefined {
  if (!order) return undefined
  if (action === 'back-out') {
    const isInstalled = installed?.manifestSha256 === order.sha256
    return isInstalled ? undefined : found('MISMATCH', `${order.path} is not what is installed here.`)
  }
  if (!entry || (entry.sha256 === order.sha256 && entry.lengthBytes === order.lengthBytes)) return undefined
  return found('MISMATCH', `The director means other bytes by ${order.path} than ${entry.role.name} signed.`)
}

function manifestBytes({ order, manifestBytes }: AuthorisationCase): Finding | undefined {
  if (!order) return undefined
  const isSigned = manifestBytes.length === order.lengthBytes && sha256Hex(manifestBytes) === order.sha256
  return isSigned ? undefined : found('MANIFEST', `The manifest of ${order.path} is not the one that was signed.`)
}

function manifestForm({ manifest }: AuthorisationCase): Finding | undefined {
  return manifest ? undefined : found('FORM', 'The release manifest is not of the agreed form.')
}

/** Whoever keeps the stop list away from a device could hide a stop. Without it nothing is installed. */
function stopListReadable({ stops, order, authority }: AuthorisationCase): Finding | undefined {
  if (stops || !order?.at) return undefined
  const reason = authority.failures[`${order.at.board}.stop`]?.fact ?? 'it is not there'
  return found('STOPLIST', `The stop list of ${order.at.board} cannot be believed: ${reason}`)
}

/** By name and by bytes: a stopped release does not come back under another name. Removing is always allowed. */
function stopListSilent({ stops, entry, action }: AuthorisationCase): Finding | undefined {
  if (!stops || !entry || action === 'remove') return undefined
  for (const [path, target] of Object.entries(recordOf(stops.signed['targets']))) {
    const at = targetPathFrom(path)
    const isNamed = at?.line === entry.at.line && at.release === entry.at.release
    if (!isNamed && recordOf(recordOf(target)['hashes'])['sha256'] !== entry.sha256) continue
    const reason = recordOf(recordOf(target)['custom'])['reason']
    return found('WITHDRAWN', `${entry.path} was stopped: ${typeof reason === 'string' ? reason : 'no reason given'}`)
  }
  return undefined
}

function sameIdentity({ order, entry, manifest, action }: AuthorisationCase): Finding | undefined {
  if (!order?.at || !manifest) return undefined
  const isOrder = order.custom.release === order.at.release && order.custom.productLine === order.at.line
  const isManifest = manifest.release === order.at.release && manifest.productLine === order.at.line
  if (!isOrder || !isManifest) {
    return found('IDENTITY', `${order.path} is release ${manifest.release} of ${manifest.productLine} inside.`)
  }
  const custom = entry?.custom
  if (!custom || !entry) return undefined
  const isEntry = custom.release === entry.at.release && custom.productLine === entry.at.line
  const isCounted = action === 'back-out' || custom.counter === manifest.counter
  return isEntry && isCounted ? undefined : found('IDENTITY', `${entry.path} was signed as release ${custom.release}.`)
}

/** The limits of the phase bind installations. Going back is open to every device that has the release. */
function phaseOf({ order, entry, action }: AuthorisationCase) {
  if (action !== 'install' || !order || !entry?.custom) return undefined
  return entry.custom.phases.find((phase) => phase.order === order.custom.phase)
}

function phaseSigned(question: AuthorisationCase): Finding | undefined {
  const { order, entry, action } = question
  if (action !== 'install' || !entry?.custom || phaseOf(question)) return undefined
  return found('PHASE', `Phase ${order?.custom.phase ?? 0} of ${entry.path} is not signed.`)
}

function phaseBegun(question: AuthorisationCase): Finding | undefined {
  const phase = phaseOf(question)
  if (!phase?.notBefore || question.at.epochMilliseconds >= Date.parse(phase.notBefore)) return undefined
  return found('NOTBEFORE', `Phase ${phase.order} begins at ${phase.notBefore}.`)
}

function phaseNotEnded(question: AuthorisationCase): Finding | undefined {
  const phase = phaseOf(question)
  if (!phase?.notAfter || question.at.epochMilliseconds <= Date.parse(phase.notAfter)) return undefined
  return found('NOTAFTER', `Phase ${phase.order} ended at ${phase.notAfter}.`)
}

function inAudience(question: AuthorisationCase): Finding | undefined {
  const phase = phaseOf(question)
  if (!phase || phase.audienceRoot === null) return undefined
  const proof = question.order?.custom.audienceProof
  if (proof && isInAudience(question.deviceId, proof, phase.audienceRoot)) return undefined
  return found('AUDIENCE', `This device is not in the signed audience of phase ${phase.order}.`)
}

/** A frozen audience has its share built in; where the server decides who, it decides within the signed share. */
function inShare(question: AuthorisationCase): Finding | undefined {
  const phase = phaseOf(question)
  if (!phase || phase.audienceRoot !== null || !question.entry) return undefined
  const position = audiencePosition(question.deviceId, question.entry.path)
  if (position < phase.permille) return undefined
  return found('PHASE', `Phase ${phase.order} is signed for ${phase.permille} of 1000; this device is at ${position}.`)
}

/**
 * A line never goes back to an older release, unless people signed from which one it may. What was ever installed
 * counts, so that removing and installing again is no way around. The same release again is no way back.
 */
function counterRises({ entry, action, installed, memory }: AuthorisationCase): Finding | undefined {
  const custom = entry?.custom
  if (action !== 'install' || !entry || !custom) return undefined
  const line = `${entry.at.board}/${entry.at.line}`
  const highest = Object.hasOwn(memory.installed, line) ? memory.installed[line] : undefined
  const isSame = installed?.manifestSha256 === entry.sha256
  for (const before of [installed, highest]) {
    if (!before || custom.counter > before.counter || isSame || custom.backoutFrom.includes(before.release)) continue
    if (custom.counter === before.counter && custom.release === before.release && before === highest) continue
    const fact = `${entry.path} has counter ${custom.counter}, not above ${before.counter} of release ${before.release}.`
    return found('ROLLBACK', fact)
  }
  return undefined
}

function backOutSigned({ entry, action, installed }: AuthorisationCase): Finding | undefined {
  if (action !== 'back-out' || !entry?.custom) return undefined
  if (installed && entry.custom.backoutFrom.includes(installed.release)) return undefined
  return found('ROLLBACK', `${entry.path} is not signed for going back from ${installed?.release ?? 'nothing'}.`)
}

function removalSigned({ entry, action }: AuthorisationCase): Finding | undefined {
  if (action !== 'remove' || !entry?.custom || entry.custom.mayRemove) return undefined
  return found('REMOVE', `${entry.path} is not signed for removal.`)
}

/** Whether a release may go is said by that release, so nothing else may go in its name. */
function removesWhatIsHere({ order, action, installed }: AuthorisationCase): Finding | undefined {
  if (action !== 'remove' || !order || !installed || installed.manifestSha256 === order.sha256) return undefined
  return found('MISMATCH', `${order.path} is to be removed; what is installed here is ${installed.release}.`)
}

function found(code: AuthorityCode, fact: string): Finding {
  return { code, fact }
}
