import { type AssignmentCustom, AssignmentSigned } from '@bascule/contract/device/protocol.ts'
import { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { parseStrictJson } from '#/canonical.ts'
import { ReleaseTarget, type ReleaseCustom } from '#/tuf/documents.ts'
import {
  type TargetPath,
  emergencyRoleName,
  lineRoleName,
  roleNameOf,
  stopRoleName,
  targetPathFrom,
} from '#/tuf/names.ts'
import type { SeenMemory } from './memory.ts'
import type { VerifiedAuthority, VerifiedRole } from './verified-authority.ts'

/** A release that is, or was, on this device. */
export interface InstalledRelease {
  readonly release: string
  readonly counter: number
  readonly manifestSha256: string
  /** The board that let it in, where the device has noted that beside its memory. */
  readonly board?: string
}

export interface AuthoriseInput {
  readonly authority: VerifiedAuthority
  /** The document as it came; nothing about it is believed. */
  readonly assignment: unknown
  readonly jobId: string
  /** The manifest of the release that the job names. */
  readonly manifestBytes: Uint8Array
  readonly deviceId: string
  /** What the line has on this device now. */
  readonly installed: InstalledRelease | null
  /** What the device kept to go back to. */
  readonly kept: InstalledRelease | null
  /** `timeFloor(memory, clock)`. */
  readonly at: Temporal.Instant
  readonly memory: SeenMemory
}

/** One line of the assignment, with its path taken apart. */
export interface Order {
  readonly path: string
  readonly at: TargetPath | undefined
  readonly lengthBytes: number
  readonly sha256: string
  readonly custom: AssignmentCustom
}

/** What people signed about the release that would be on the device afterwards. */
export interface BoardEntry {
  readonly path: string
  readonly at: TargetPath
  readonly role: VerifiedRole
  readonly lengthBytes: number
  readonly sha256: string
  /** Undefined when the board signed something that this device does not understand in full. */
  readonly custom: ReleaseCustom | undefined
}

/**
 * Everything the checks look at, read leniently and once. What could not be read is undefined, and the check whose
 * business that is says so; no other check has to mind.
 */
export interface AuthorisationCase extends AuthoriseInput {
  readonly assignmentSigned: Readonly<Record<string, unknown>>
  readonly parsed: AssignmentSigned | undefined
  readonly order: Order | undefined
  /** What would happen; the order of a device that has nothing to go back to comes to a removal. */
  readonly action: AssignmentCustom['action']
  /** Role that may list the release, as the path says. */
  readonly roleName: string | undefined
  readonly entry: BoardEntry | undefined
  readonly stops: VerifiedRole | undefined
  readonly manifest: ReleaseManifest | undefined
}

/** Reads the case of one job. Never throws, whatever the documents hold. */
export function authorisationCaseOf(input: AuthoriseInput): AuthorisationCase {
  const assignmentSigned = recordOf(recordOf(input.assignment)['signed'])
  const parsed = AssignmentSigned.safeParse(assignmentSigned).data
  const order = parsed && orderOf(parsed, input.jobId)
  const action = actionOf(order, input)
  const at = order?.at
  return {
    ...input,
    assignmentSigned,
    parsed,
    order,
    action,
    roleName: at && roleNameOf(at),
    entry: order && at && (action === 'back-out' ? keptEntryOf(input, at) : entryAt(input, order.path, at)),
    stops: at && ownOf(input.authority.roles, stopRoleName(at.board)),
    manifest: manifestOf(input.manifestBytes),
  }
}

/** Going back to nothing is a removal, and needs that people allowed it. */
function actionOf(order: Order | undefined, { kept }: AuthoriseInput): AssignmentCustom['action'] {
  const ordered = order?.custom.action ?? 'install'
  return ordered === 'back-out' && kept === null ? 'remove' : ordered
}

function orderOf(parsed: AssignmentSigned, jobId: string): Order | undefined {
  for (const [path, { length, hashes, custom }] of Object.entries(parsed.targets)) {
    if (custom.job !== jobId) continue
    return { path, at: targetPathFrom(path), lengthBytes: length, sha256: hashes.sha256, custom }
  }
  return undefined
}

function entryAt({ authority }: AuthoriseInput, path: string, at: TargetPath): BoardEntry | undefined {
  const role = ownOf(authority.roles, roleNameOf(at))
  const target = recordOf(ownOf(recordOf(role?.signed['targets']), path))
  const { length, hashes } = target as { length?: unknown; hashes?: { sha256?: unknown } }
  if (!role || typeof length !== 'number' || typeof hashes?.sha256 !== 'string') return undefined
  return {
    path,
    at,
    role,
    lengthBytes: length,
    sha256: hashes.sha256,
    custom: ReleaseTarget.safeParse(target).data?.custom,
  }
}

/** Going back needs the signature of where it goes: the kept release must be live, normally or as an emergency. */
function keptEntryOf(input: AuthoriseInput, at: TargetPath): BoardEntry | undefined {
  const { kept, authority } = input
  if (!kept) return undefined
  for (const name of [lineRoleName(at.board, at.line), emergencyRoleName(at.board)]) {
    for (const path of Object.keys(recordOf(ownOf(authority.roles, name)?.signed['targets']))) {
      const where = targetPathFrom(path)
      if (!where || where.line !== at.line || where.release !== kept.release || roleNameOf(where) !== name) continue
      const entry = entryAt(input, path, where)
      if (entry?.sha256 === kept.manifestSha256) return entry
    }
  }
  return undefined
}

function manifestOf(bytes: Uint8Array): ReleaseManifest | undefined {
  const json = parseStrictJson(Buffer.from(bytes).toString('utf8'))
  return json.ok ? ReleaseManifest.safeParse(json.value).data : undefined
}

function ownOf<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
