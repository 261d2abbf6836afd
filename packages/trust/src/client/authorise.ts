import type { AssignmentCustom } from '@bascule/contract/device/protocol.ts'
import type { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import type { ReleaseCustom } from '#/tuf/documents.ts'
import { type AuthoriseInput, authorisationCaseOf } from './authorisation-case.ts'
import { type AuthorisationCheck, authorisationChecks } from './authorisation-checks.ts'
import type { SeenMemory } from './memory.ts'
import { type AuthorityRefusal, refusalFrom } from './refusal.ts'

/** What a device may do now, and who said so. */
export interface Authorised {
  readonly action: AssignmentCustom['action']
  readonly order: AssignmentCustom
  readonly generation: number
  /** The manifest of the release that the job names; in a back-out, the one that is left. */
  readonly manifest: ReleaseManifest
  /** The target that people signed: in a back-out, the release that comes back. */
  readonly path: string
  readonly custom: ReleaseCustom
  /** Who authorised it: for the receipt, the status and the device page. */
  readonly authorisedBy: {
    readonly role: string
    readonly version: number
    readonly signers: readonly string[]
    readonly threshold: number
    readonly snapshotVersion: number
  }
  /** To be stored before anything is installed. */
  readonly memory: SeenMemory
}

/**
 * The one question before any byte is installed, asked again at the moment of installing: did the director order
 * exactly what the board signed, for this device, now, within what was signed? Pure: everything it knows is given.
 */
export function authorise(
  input: AuthoriseInput,
  checks: readonly AuthorisationCheck[] = authorisationChecks,
): Result<Authorised, AuthorityRefusal> {
  const question = authorisationCaseOf(input)
  for (const { name, check } of checks) {
    const finding = check(question)
    if (finding) return refuse(refusalFrom(name, finding))
  }
  const { parsed, order, entry, manifest, action, authority } = question
  if (!parsed || !order || !entry?.custom || !manifest) {
    // No list of checks, however short, makes a device install what it could not read.
    return refuse(
      refusalFrom('case-is-complete', { code: 'FORM', fact: 'Something that is needed could not be read.' }),
    )
  }
  const { role } = entry
  const { name, version, signers, threshold } = role
  const { snapshotVersion } = authority
  return ok({
    action,
    order: order.custom,
    generation: parsed.version,
    manifest,
    path: entry.path,
    custom: entry.custom,
    authorisedBy: { role: name, version, signers, threshold, snapshotVersion },
    memory: { ...input.memory, assignmentVersion: Math.max(input.memory.assignmentVersion, parsed.version) },
  })
}
