import type { AssignmentSigned } from '@bascule/contract/device/protocol.ts'
import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { assignmentLifetimeMax, buildAssignment } from '@bascule/trust/assignment.ts'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import type { SignItem, SignRefusal } from './protocol.ts'
import type { LastSigned } from './signed-memory.ts'

/** What may be signed for a device, and whether the very same was signed before. */
export interface Judged {
  readonly signed: AssignmentSigned
  readonly sha256: string
  readonly isRepeat: boolean
}

/**
 * Whether an assignment may be signed. The generation rises above everything ever signed for the device; only the very
 * same content may be asked for again, because an answer can get lost. Nothing lives longer than a week.
 */
export function judgeItem(
  item: SignItem,
  last: LastSigned | undefined,
  now: Temporal.Instant,
): Result<Judged, SignRefusal> {
  const paths = new Set(item.targets.map((target) => target.path))
  if (paths.size < item.targets.length) return no('path-twice', 'A release stands twice in one assignment.')
  const expiresAt = Temporal.Instant.from(item.expires)
  if (Temporal.Instant.compare(expiresAt, now) <= 0) return no('expired', `${item.expires} has passed.`)
  if (Temporal.Instant.compare(expiresAt, now.add(assignmentLifetimeMax)) > 0) {
    return no('lifetime', `An assignment may live for seven days at most; ${item.expires} is later.`)
  }
  const { device, generation, targets } = item
  const signed = buildAssignment({ device, generation, expiresAt, targets })
  const sha256 = sha256Hex(canonicalJson(signed))
  const isRepeat = last?.generation === generation && last.sha256 === sha256
  if (last && generation <= last.generation && !isRepeat) return refuse(generationUsed(generation, last.generation))
  return ok({ signed, sha256, isRepeat })
}

function generationUsed(asked: number, lastGeneration: number): SignRefusal {
  const message =
    asked === lastGeneration
      ? `Generation ${asked} of this device was signed with another content. Ask for ${asked + 1} or more.`
      : `Generation ${asked} is older than ${lastGeneration}, the last one signed for this device.`
  return { code: 'generation-used', message, lastGeneration }
}

function no(code: SignRefusal['code'], message: string): Result<never, SignRefusal> {
  return refuse({ code, message })
}
