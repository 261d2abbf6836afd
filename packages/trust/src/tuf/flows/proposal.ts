import { type Refusal, type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { type BoardDecision, makeBoardDraft } from '#/tuf/board-draft.ts'
import type { DelegatingSigned, RoleSigned, RootSigned } from '#/tuf/documents.ts'
import { type RoleDecision, makeDraft, noVersion, verifiedVersionOf } from '#/tuf/draft.ts'
import { roleNameFrom } from '#/tuf/names.ts'
import { type RepositoryDraft, delegatedRoles, namedSigners, trustedKeysOf } from '#/tuf/repository-state.ts'
import { reviewCeremony } from '#/tuf/review-ceremony.ts'
import { type RootDecision, makeRootDraft } from '#/tuf/root-draft.ts'

/** What is decided about the document of one role. */
export type Change =
  | { readonly role: 'root'; readonly decision: RootDecision }
  | { readonly role: string; readonly decision: BoardDecision | RoleDecision }

/** A document to be signed, with what was decided about it: as a draft carries it to everybody else. */
export interface ProposedDocument {
  readonly role: string
  readonly decision: Change['decision']
  readonly signed: RootSigned | RoleSigned
}

/** Documents that are published together or not at all. */
export type Proposal = Result<readonly ProposedDocument[], Refusal>

/**
 * The documents of some changes, complete: a role that is new gets its first and empty file, and a file that would lose
 * its quorum is signed again by those who stay, in the same publication. What comes out passes the review of everybody
 * who will be asked to sign it.
 */
export function propose(repository: RepositoryDraft, changes: readonly Change[], at: Temporal.Instant): Proposal {
  if (changes.length === 0) {
    return refused('change-changes-something', 'Everything would stay as it is.', 'Say what should change.')
  }
  const documents: ProposedDocument[] = []
  for (const change of changes) {
    const made = documentOf(repository, change, at)
    if (!made.ok) return made
    documents.push(made.value)
  }
  const next = documents.reduce(withDocument, repository)
  for (const role of rolesThatFollow(next, new Set(changes.map((change) => change.role)))) {
    const made = documentOf(repository, { role, decision: { kind: 'renew' } }, at)
    if (!made.ok) return made
    documents.push(made.value)
  }
  const reviewed = reviewCeremony(repository, documents, at)
  return reviewed.ok ? ok(documents) : reviewed
}

/** Signs role files again as they are, so that they live on. An emergency that is out is ratified instead, or lapses. */
export function renew(repository: RepositoryDraft, roles: readonly string[], at: Temporal.Instant): Proposal {
  const unknown = roles.find((role) => (role === 'root' ? !repository.root : !Object.hasOwn(repository.roles, role)))
  if (unknown !== undefined) return refused('role-is-there', `There is no ${unknown}.`, 'Name a role that is there.')
  const debt = roles.find((role) => isEmergencyOut(repository, role))
  if (debt !== undefined) {
    const next = 'Let the board ratify the emergency release, or let it lapse.'
    return refused('emergency-is-ratified', `${debt} lists an emergency release, which is not renewed.`, next)
  }
  return propose(
    repository,
    roles.map((role): Change => ({ role, decision: { kind: 'renew' } })),
    at,
  )
}

/** A refusal of a wish, to the person who has it. */
export function refused(rule: string, fact: string, next: string): Result<never, Refusal> {
  return refuse({ rule, fact, lifter: 'You', next })
}

/** The document of a role that delegates, if there is one. */
export function delegatingOf(repository: RepositoryDraft, role: string): DelegatingSigned | undefined {
  const signed = repository.roles[role]?.signed
  return signed && 'delegations' in signed ? signed : undefined
}

function documentOf(
  repository: RepositoryDraft,
  { role, decision }: Change,
  at: Temporal.Instant,
): Result<ProposedDocument, Refusal> {
  const kind = roleNameFrom(role)?.kind
  if (kind === 'root') {
    return ok({ role, decision, signed: makeRootDraft(repository.root?.signed, decision as RootDecision, at) })
  }
  if (kind === 'targets' || kind === 'board') {
    const signed = makeBoardDraft(role, delegatingOf(repository, role), decision as BoardDecision, at)
    return ok({ role, decision, signed })
  }
  const had = repository.roles[role]?.signed
  const before = had ? verifiedVersionOf(role, had) : noVersion(role)
  const made = makeDraft(before, decision as RoleDecision, at)
  return made.ok ? ok({ role, decision, signed: made.value }) : made
}

function isEmergencyOut({ roles }: RepositoryDraft, role: string): boolean {
  return roleNameFrom(role)?.kind === 'emergency' && Object.keys(roles[role]?.signed.targets ?? {}).length > 0
}

function withDocument(repository: RepositoryDraft, { role, signed }: ProposedDocument): RepositoryDraft {
  if (role === 'root') return { ...repository, root: { signed: signed as RootSigned, signatures: [] } }
  const document = { signed: signed as RoleSigned, signatures: [] }
  return { ...repository, roles: { ...repository.roles, [role]: document } }
}

function rolesThatFollow(next: RepositoryDraft, changed: ReadonlySet<string>): string[] {
  return delegatedRoles(next).filter((role) => {
    if (changed.has(role)) return false
    const [trusted, document] = [trustedKeysOf(next, role), next.roles[role]]
    return trusted !== undefined && (!document || namedSigners(document, trusted).length < trusted.threshold)
  })
}
