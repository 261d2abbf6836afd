import type { Refusal } from '@bascule/domain/lib/result.ts'
import type { z } from 'zod'
import type { Envelope } from '#/envelope.ts'
import { expiryFrom } from '#/expiry.ts'
import {
  DelegatingSigned,
  ReleasesSigned,
  type RoleSigned,
  RootSigned,
  StopsSigned,
  roleTargetsMax,
} from './documents.ts'
import {
  problemOfDelegations,
  problemOfKeyIds,
  problemOfLevels,
  problemOfThresholds,
  problemOfTwinKeys,
} from './key-rules.ts'
import { clockTolerance, lifetimeMax } from './lifetimes.ts'
import { type RoleKind, type RoleName, roleNameFrom, roleNameOf, targetPathFrom } from './names.ts'
import { delegationsOf } from './repository-state.ts'

/** A document under the name of its role. Nothing about it is believed yet. */
export interface FormCase {
  readonly role: string
  readonly name: RoleName
  readonly document: Envelope<RoleSigned | RootSigned>
}

/** The same when its form is good. */
export interface SoundnessCase extends FormCase {
  readonly at: Temporal.Instant
}

export type PublishRefusal = Refusal

/** Asked first of every document: the other checks may believe its form. */
export const formChecks = [
  { name: 'role-has-a-form', check: form },
  { name: 'targets-in-bounds', check: targetsInBounds },
] as const satisfies readonly { name: string; check: (document: FormCase) => PublishRefusal | undefined }[]

/** What a document must be by itself, whoever signed it and whatever stands beside it. */
export const soundnessChecks = [
  { name: 'lifetime-in-bounds', check: lifetimeInBounds },
  { name: 'paths-belong-to-the-role', check: pathsBelong },
  { name: 'keys-are-distinct', check: keysAreDistinct },
  { name: 'delegations-stay-below', check: delegationsStayBelow },
] as const satisfies readonly { name: string; check: (document: SoundnessCase) => PublishRefusal | undefined }[]

/** The role of a document, or the refusal when nobody may publish under that name. */
export function publishableRole(role: string): RoleName | PublishRefusal {
  const name = roleNameFrom(role)
  if (name && name.kind in formOf) return name
  return no(
    'role-has-a-form',
    `${JSON.stringify(role)} names no file that people sign.`,
    'Nobody',
    'Name a role of the board.',
  )
}

const formOf: Partial<Record<RoleKind, z.ZodType>> = {
  root: RootSigned,
  targets: DelegatingSigned,
  board: DelegatingSigned,
  line: ReleasesSigned,
  emergency: ReleasesSigned,
  stop: StopsSigned,
}

function form({ role, name, document }: FormCase): PublishRefusal | undefined {
  const parsed = formOf[name.kind]?.safeParse(document.signed)
  if (parsed?.success) return undefined
  const issue = parsed?.error.issues[0]
  const what = issue ? `${issue.path.map(String).join('.')} ${issue.message}` : 'nobody signs such a file by hand'
  return no(
    'role-has-a-form',
    `The file of ${role} is not of the agreed form: ${what}.`,
    'Whoever made the draft',
    'Make the draft again.',
  )
}

function targetsInBounds({ role, document }: FormCase): PublishRefusal | undefined {
  const count = 'targets' in document.signed ? Object.keys(document.signed.targets).length : 0
  if (count <= roleTargetsMax) return undefined
  const fact = `${role} lists ${count} releases; devices read ${roleTargetsMax} at most.`
  return no('targets-in-bounds', fact, 'The board', 'Withdraw releases that are no longer in use.')
}

function lifetimeInBounds({ role, name, document, at }: SoundnessCase): PublishRefusal | undefined {
  const expiresAt = expiryFrom(document.signed.expires)
  const issuedAt = expiryFrom(document.signed['x-issued'])
  const latest = at.add(lifetimeMax(name.kind)).add(clockTolerance)
  const isBounded =
    expiresAt !== undefined &&
    Temporal.Instant.compare(expiresAt, at) > 0 &&
    Temporal.Instant.compare(expiresAt, latest) <= 0
  const isPast = issuedAt !== undefined && Temporal.Instant.compare(issuedAt, at.add(clockTolerance)) <= 0
  if (isBounded && isPast) return undefined
  const fact = `${role} lives from ${document.signed['x-issued']} until ${document.signed.expires}; it may last until ${latest.toString()}.`
  return no('lifetime-in-bounds', fact, 'Whoever made the draft', 'Make the draft again with an expiry within bounds.')
}

function pathsBelong({ role, document }: SoundnessCase): PublishRefusal | undefined {
  const targets = 'targets' in document.signed ? (document.signed.targets as ReleasesSigned['targets']) : {}
  for (const [path, { custom }] of Object.entries(targets)) {
    const at = targetPathFrom(path)
    const isHome = at !== undefined && roleNameOf(at) === role
    if (isHome && at.release === custom.release && at.line === custom.productLine) continue
    const fact = `${path} says release ${custom.release} of ${custom.productLine} and stands in ${role}.`
    return no(
      'paths-belong-to-the-role',
      fact,
      'Whoever made the draft',
      'List the release under its own name and role.',
    )
  }
  return undefined
}

function keysAreDistinct({ role, document }: SoundnessCase): PublishRefusal | undefined {
  const { keys, roles } = keysAndRolesOf(document.signed)
  const problem = problemOfKeyIds(keys) ?? problemOfTwinKeys(keys) ?? problemOfThresholds(keys, roles)
  return problem === undefined
    ? undefined
    : no(
        'keys-are-distinct',
        `${role}: ${problem}`,
        'Whoever made the draft',
        'List every key once, under its own hash.',
      )
}

function delegationsStayBelow({ role, document }: SoundnessCase): PublishRefusal | undefined {
  const delegations = document.signed._type === 'targets' ? delegationsOf(document.signed) : undefined
  if (!delegations) return undefined
  const problem = problemOfDelegations(role, delegations.roles) ?? problemOfLevels(delegations.roles)
  return problem === undefined
    ? undefined
    : no('delegations-stay-below', problem, 'The governance quorum of the board', 'Make the draft again without it.')
}

function keysAndRolesOf(signed: RootSigned | RoleSigned) {
  if (signed._type === 'root') {
    const roles = Object.entries(signed.roles).map(([name, role]) => ({ name, ...role }))
    return { keys: signed.keys, roles }
  }
  return delegationsOf(signed) ?? { keys: {}, roles: [] }
}

function no(rule: string, fact: string, lifter: string, next: string): PublishRefusal {
  return { rule, fact, lifter, next }
}
