import { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import type { AssignmentCustom, AssignmentSigned, TufKey } from '@bascule/contract/device/protocol.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { assignmentTargetPath, verifyAssignment } from '@bascule/trust/assignment.ts'
import { parseStrictJson } from '@bascule/trust/canonical.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { isInAudience } from '@bascule/trust/merkle.ts'

/** Why the device does not obey. `lift` says what the job does: wait for a newer permit, wait for a time, or stop. */
export interface AuthorityRefusal {
  readonly code: string
  readonly message: string
  readonly lift: 'person' | 'permit' | 'time'
}

export interface AuthorityQuestion {
  readonly assignment: unknown
  readonly directorKey: TufKey
  readonly deviceId: string
  readonly seenGeneration: number
  /** The soft clock, never earlier than the latest time this device has seen. */
  readonly nowIso: string
  readonly jobId: string
  readonly manifestBytes: Uint8Array
  /** What the product line has on this device under the same activation name. */
  readonly installed: { readonly release: string; readonly counter: number; readonly manifestSha256: string } | null
}

export interface Authorised {
  readonly manifest: ReleaseManifest
  readonly custom: AssignmentCustom
  readonly generation: number
}

type Answer<T> = Result<T, AuthorityRefusal>

/**
 * The one question before any byte is installed, asked again at the moment of installing: did the pinned director
 * order exactly this, for this device, now? The quorum of the release board joins here; until then level 1 of the
 * receipt says that it is the director's signature only.
 */
export function authorise(question: AuthorityQuestion): Answer<Authorised> {
  const assignment = verifyAssignment(question.assignment, {
    directorKey: question.directorKey,
    device: question.deviceId,
    lastGeneration: question.seenGeneration,
    now: Temporal.Instant.from(question.nowIso),
  })
  if (!assignment.ok) {
    const lift = assignment.error.code === 'expired' ? 'permit' : 'person'
    return refuse({ code: assignment.error.code, message: assignment.error.message, lift })
  }
  const target = targetOf(assignment.value, question.jobId)
  if (!target)
    return no('no-such-job', `The assignment of generation ${assignment.value.version} has no job ${question.jobId}.`)

  const manifest = manifestOf(question.manifestBytes, target)
  if (!manifest.ok) return manifest
  const problem =
    problemOfNames(target, manifest.value) ??
    problemOfPhase(target.custom, manifest.value, question) ??
    problemOfCounter(target.custom, manifest.value, question)
  return problem ?? ok({ manifest: manifest.value, custom: target.custom, generation: assignment.value.version })
}

interface Target {
  readonly path: string
  readonly length: number
  readonly sha256: string
  readonly custom: AssignmentCustom
}

function targetOf(signed: AssignmentSigned, jobId: string): Target | undefined {
  for (const [path, { length, hashes, custom }] of Object.entries(signed.targets)) {
    if (custom.job === jobId) return { path, length, sha256: hashes.sha256, custom }
  }
  return undefined
}

function manifestOf(bytes: Uint8Array, target: Target): Answer<ReleaseManifest> {
  if (bytes.length !== target.length) {
    return no('manifest-length', `The release manifest has ${bytes.length} bytes; ${target.length} were signed.`)
  }
  if (sha256Hex(bytes) !== target.sha256)
    return no('manifest-hash', 'The release manifest is not the one that was signed.')
  const json = parseStrictJson(Buffer.from(bytes).toString('utf8'))
  if (!json.ok) return no('manifest-form', `The release manifest ${json.error}.`)
  const parsed = ReleaseManifest.safeParse(json.value)
  if (parsed.success) return ok(parsed.data)
  const issue = parsed.error.issues[0]
  return no(
    'manifest-form',
    `The release manifest: ${issue?.path.map(String).join('.') ?? ''} ${issue?.message ?? 'is malformed'}.`,
  )
}

/** Assignment, path and manifest must name the same release of the same line: nobody can swap one for another. */
function problemOfNames({ path, custom }: Target, manifest: ReleaseManifest): Answer<never> | undefined {
  if (custom.release !== manifest.release) {
    return no('release', `The assignment says release ${custom.release}, the manifest says ${manifest.release}.`)
  }
  if (custom.productLine !== manifest.productLine) {
    return no(
      'product-line',
      `The assignment says line ${custom.productLine}, the manifest says ${manifest.productLine}.`,
    )
  }
  if (path !== assignmentTargetPath(manifest.productLine, manifest.release)) {
    return no('path', `The target ${path} is not the path of release ${manifest.release} of ${manifest.productLine}.`)
  }
  return undefined
}

/** Limits of the phase bind installs only: going back is allowed to every device that has the release. */
function problemOfPhase(
  custom: AssignmentCustom,
  manifest: ReleaseManifest,
  { nowIso, deviceId }: AuthorityQuestion,
): Answer<never> | undefined {
  const phase = manifest.phases.find((candidate) => candidate.order === custom.phase)
  if (!phase) return no('phase', `The release has no phase ${custom.phase}.`)
  if (custom.action !== 'install') return undefined
  const now = Date.parse(nowIso)
  if (phase.notBefore !== null && now < Date.parse(phase.notBefore)) {
    return no('phase-too-early', `Phase ${custom.phase} begins at ${phase.notBefore}.`, 'time')
  }
  if (phase.notAfter !== null && now > Date.parse(phase.notAfter)) {
    return no('phase-too-late', `Phase ${custom.phase} ended at ${phase.notAfter}.`, 'permit')
  }
  if (phase.audienceRoot === null) return undefined
  const proof = custom.audienceProof
  if (!proof || !isInAudience(deviceId, proof, phase.audienceRoot)) {
    return no('audience', `This device is not in the signed audience of phase ${custom.phase}.`)
  }
  return undefined
}

/** A line never goes back to an older release, unless that release says from which ones it may be returned to. */
function problemOfCounter(
  custom: AssignmentCustom,
  manifest: ReleaseManifest,
  { installed, manifestBytes }: AuthorityQuestion,
): Answer<never> | undefined {
  if (custom.action !== 'install' || installed === null) return undefined
  if (manifest.counter > installed.counter) return undefined
  if (manifest.counter === installed.counter && sha256Hex(manifestBytes) === installed.manifestSha256) return undefined
  if (manifest.backoutFrom.includes(installed.release)) return undefined
  return no(
    'rollback',
    `Release ${manifest.release} has counter ${manifest.counter}, not above ${installed.counter} of release ${installed.release}, which is installed.`,
  )
}

function no(code: string, message: string, lift: AuthorityRefusal['lift'] = 'person'): Result<never, AuthorityRefusal> {
  return refuse({ code, message, lift })
}
