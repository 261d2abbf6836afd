import { sha256Hex } from '@bascule/contract/device/protocol.ts'
import { PhaseLimit } from '@bascule/contract/device/release-manifest.ts'
import { z } from 'zod'
import { canonicalise } from '#/canonical.ts'
import type { BoardDecision } from './board-draft.ts'
import { KeyLevel, ReleaseTarget, StopTarget } from './documents.ts'
import type { RoleDecision } from './draft.ts'
import type { RootDecision } from './root-draft.ts'
import { pathPatternOf, roleNameFrom } from './names.ts'

/**
 * Decisions as they travel from the server to whoever signs. A tool reads them with these forms, applies the decision
 * itself to the version it has verified, and compares: so a decision that lies about a draft is noticed, and one that
 * is malformed is refused before anybody looks.
 */
const path = z.string().max(300)
const quorum = { publicKeys: z.array(sha256Hex).min(1).max(200), threshold: z.int().min(1).max(200) }
const Quorum = z.strictObject(quorum)
const MemberQuorum = z.strictObject({
  ...quorum,
  minLevel: KeyLevel.optional(),
  levels: z.record(sha256Hex, KeyLevel).optional(),
})

export const RoleDecisionForm = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('go'),
    path,
    target: ReleaseTarget,
    retires: z.array(path).max(500),
    returns: z.array(path).max(20),
  }),
  z.strictObject({ kind: z.literal('open-phases'), path, phases: z.array(z.strictObject(PhaseLimit.shape)).max(250) }),
  z.strictObject({ kind: z.literal('withdraw'), path }),
  z.strictObject({ kind: z.literal('back-out-from'), path, from: z.string().max(40) }),
  z.strictObject({ kind: z.literal('renew') }),
  z.strictObject({ kind: z.literal('emergency'), path, target: ReleaseTarget }),
  z.strictObject({ kind: z.literal('ratify'), emergencyPath: path, target: ReleaseTarget }),
  z.strictObject({ kind: z.literal('stop'), path, target: StopTarget }),
  z.strictObject({ kind: z.literal('lift-stop'), path }),
]) satisfies z.ZodType<RoleDecision>

/** What can be delegated at all; whether this delegator may is asked of the draft. */
const delegable = z.string().max(121).refine(isDelegable, 'names no role that is delegated')

export const BoardDecisionForm = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('set-roles'), roles: z.record(delegable, MemberQuorum) }),
  z.strictObject({ kind: z.literal('remove-role'), role: delegable }),
  z.strictObject({ kind: z.literal('renew') }),
])

export const RootDecisionForm = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('set-keys'),
    root: Quorum,
    targets: Quorum,
    snapshot: Quorum,
    timestamp: Quorum,
  }),
  z.strictObject({ kind: z.literal('renew') }),
]) satisfies z.ZodType<RootDecision>

/** A decision with the kind of document it changes. */
export type DocumentDecision =
  | { readonly document: 'root'; readonly decision: RootDecision }
  | { readonly document: 'delegations'; readonly decision: BoardDecision }
  | { readonly document: 'releases'; readonly decision: RoleDecision }

/** Reads the decision about the document of a role; undefined when it is not of the agreed form. */
export function decisionFrom(role: string, value: unknown): DocumentDecision | undefined {
  // A name of every object must not even reach the forms: it would be lost on the way, unseen.
  if (!canonicalise(value).ok) return undefined
  switch (roleNameFrom(role)?.kind) {
    case 'root': {
      const { data } = RootDecisionForm.safeParse(value)
      return data && { document: 'root', decision: data }
    }
    case 'targets':
    case 'board': {
      const { data } = BoardDecisionForm.safeParse(value)
      return data && { document: 'delegations', decision: data as BoardDecision }
    }
    case 'line':
    case 'emergency':
    case 'stop': {
      const { data } = RoleDecisionForm.safeParse(value)
      return data && { document: 'releases', decision: data }
    }
    case 'snapshot':
    case 'timestamp':
    case 'director':
    case undefined:
    default:
      // The signer writes these by itself, and nobody writes what has no name.
      return undefined
  }
}

function isDelegable(name: string): boolean {
  const role = roleNameFrom(name)
  return role !== undefined && pathPatternOf(role) !== undefined
}
