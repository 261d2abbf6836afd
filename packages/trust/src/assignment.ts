import {
  type Assignment,
  AssignmentSigned,
  type AssignmentCustom,
  type TufKey,
} from '@bascule/contract/device/protocol.ts'
import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { isPrototypeName } from './canonical.ts'
import {
  type EnvelopeRefusalCode,
  type TrustRefusal,
  expiryFrom,
  expiryText,
  onlyKey,
  signDocument,
  verifyDocument,
} from './envelope.ts'
import type { KeyPair } from './keys.ts'

/** One release that a device is told to do something with. */
export interface AssignmentTarget {
  /** Name of the release manifest as a signed target, `targetPathText`. */
  readonly path: string
  /** Length and SHA-256 of the release manifest. */
  readonly lengthBytes: number
  readonly sha256: string
  readonly custom: AssignmentCustom
}

export interface AssignmentDraft {
  readonly device: string
  /** Rises with every assignment of the device and never falls. */
  readonly generation: number
  readonly expiresAt: Temporal.Instant
  readonly targets: readonly AssignmentTarget[]
}

export type AssignmentRefusalCode =
  | EnvelopeRefusalCode
  | 'too-many-targets'
  | 'path'
  | 'device'
  | 'replay'
  | 'expiry'
  | 'expired'
  | 'lifetime'
export type AssignmentRefusal = TrustRefusal<AssignmentRefusalCode>

/** What a device knows by itself before it reads an assignment. */
export interface AssignmentExpectation {
  /** The director key pinned at enrolment. */
  readonly directorKey: TufKey
  readonly device: string
  /** Generation of the newest assignment this device ever accepted; 0 when none. */
  readonly lastGeneration: number
  /** The device's clock, corrected by the server's offset. */
  readonly now: Temporal.Instant
}

export const assignmentTargetsMax = 500
/** No assignment lives longer, whoever signed it: a stolen director key is worth a week. */
export const assignmentLifetimeMax = Temporal.Duration.from({ hours: 7 * 24 })
/** What two clocks may differ by before a full week looks longer than a week. */
const clockTolerance = Temporal.Duration.from({ hours: 1 })

/** The signed part of an assignment. Two drafts with the same content give the same bytes. */
export function buildAssignment(draft: AssignmentDraft): AssignmentSigned {
  return {
    _type: 'targets',
    spec_version: '1.0.31',
    version: draft.generation,
    expires: expiryText(draft.expiresAt),
    targets: Object.fromEntries(
      draft.targets.map(({ path, lengthBytes, sha256, custom }) => [
        path,
        { length: lengthBytes, hashes: { sha256 }, custom },
      ]),
    ),
    'x-device': draft.device,
  }
}

/** Signs with the director key. Only the signer process and tests call this. */
export function signAssignment(signed: AssignmentSigned, director: KeyPair): Assignment {
  return signDocument(signed, [director])
}

/**
 * The one check before a device acts. What comes back was signed by the pinned director key for this device, is not
 * older than what the device already took, and is alive. The same generation again is accepted: a repeated answer is
 * harmless, and the signer never gives one generation two contents.
 */
export function verifyAssignment(
  document: unknown,
  expected: AssignmentExpectation,
): Result<AssignmentSigned, AssignmentRefusal> {
  // Counted before anything else touches the document: a huge one must not cost the device a parse.
  if (targetCount(document) > assignmentTargetsMax) {
    return no('too-many-targets', `The assignment names more than ${assignmentTargetsMax} releases.`)
  }
  const authentic = verifyDocument(document, onlyKey(expected.directorKey))
  if (!authentic.ok) return authentic

  const parsed = AssignmentSigned.safeParse(authentic.value)
  if (!parsed.success) return no('malformed', `The assignment is not of the agreed form: ${firstIssue(parsed.error)}.`)
  const signed = parsed.data
  return problemOf(signed, expected) ?? ok(signed)
}

/** Whether a text may name a target: plain segments, nothing that climbs, nothing that every object has. */
export function isTargetPath(path: string): boolean {
  if (path.length > 300 || isPrototypeName(path)) return false
  return path.split('/').every((segment) => /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(segment) && !isPrototypeName(segment))
}

function problemOf(signed: AssignmentSigned, expected: AssignmentExpectation): Result<never, AssignmentRefusal> | null {
  const badPath = Object.keys(signed.targets).find((path) => !isTargetPath(path))
  if (badPath !== undefined) return no('path', `${JSON.stringify(badPath)} cannot name a release.`)
  if (signed['x-device'] !== expected.device) return no('device', 'The assignment is for another device.')
  if (signed.version < expected.lastGeneration) {
    return no('replay', `Generation ${signed.version} is older than ${expected.lastGeneration}, which this device has.`)
  }
  return problemOfExpiry(signed.expires, expected.now)
}

function problemOfExpiry(expires: string, now: Temporal.Instant): Result<never, AssignmentRefusal> | null {
  const expiresAt = expiryFrom(expires)
  if (!expiresAt) return no('expiry', `${JSON.stringify(expires)} is not an instant.`)
  if (Temporal.Instant.compare(expiresAt, now) <= 0) return no('expired', `The assignment expired at ${expires}.`)
  const latest = now.add(assignmentLifetimeMax).add(clockTolerance)
  if (Temporal.Instant.compare(expiresAt, latest) > 0) {
    return no('lifetime', `The assignment would live until ${expires}, more than seven days.`)
  }
  return null
}

function targetCount(document: unknown): number {
  const targets = (document as { signed?: { targets?: unknown } } | null)?.signed?.targets
  return typeof targets === 'object' && targets !== null ? Object.keys(targets).length : 0
}

function firstIssue(error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string {
  const issue = error.issues[0]
  return issue ? `${issue.path.map(String).join('.')} ${issue.message}` : 'unknown'
}

function no(code: AssignmentRefusalCode, message: string): Result<never, AssignmentRefusal> {
  return refuse({ code, message })
}
