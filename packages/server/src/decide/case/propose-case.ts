import type { CaseKind } from '@bascule/domain/decide/case.ts'
import type { CaseId, ReleaseId } from '@bascule/domain/lib/ids.ts'
import { ok, type Refusal, type Result, refuse, unreachable } from '@bascule/domain/lib/result.ts'
import type { RoleDecision } from '@bascule/trust/tuf/draft.ts'
import {
  emergencyRoleName,
  roleNameFrom,
  stopRoleName,
  type TargetPath,
  targetPathFrom,
  targetPathText,
} from '@bascule/trust/tuf/names.ts'
import { type RepositoryDraft, trustedKeysOf } from '@bascule/trust/tuf/repository-state.ts'
import { findRelease, type ReleaseRecord } from '#/plan/release/release.service.ts'
import type { Call } from '#/platform/http/os.ts'
import { allow } from '#/platform/lib/actor.ts'
import { type Answer, badInput, notFound, refused } from '#/platform/lib/answer.ts'
import { lineRoleIn, type SignedRepository } from '../authority/signed-repository.ts'
import { askedForOf, noAuthority } from './ask-board.ts'
import { liveReleases } from './case-decision.ts'
import { findCases, lockDecisions } from './case.store.ts'
import { openCase, type Question } from './open-case.ts'
import type { AskedFor } from './case.tables.ts'
import { limitOf } from '#/plan/release/manifest.ts'

export type LaterKind = Exclude<CaseKind, 'go' | 'emergency'>

export interface ProposeInput {
  readonly releaseId: ReleaseId
  readonly kind: LaterKind
  readonly from?: ReleaseId | undefined
  readonly reason: string
}

/** Asks for a decision about a release that was let out. Any member may ask; the quorum of its role decides. */
export async function proposeCase(
  call: Call,
  repository: Pick<SignedRepository, 'current'>,
  input: ProposeInput,
): Promise<Answer<CaseId>> {
  const { db, actor, now } = call
  const allowed = allow(actor, 'board.vote', {})
  if (!allowed.ok) return allowed
  if (input.kind === 'back-out-from' && input.from === undefined) {
    return badInput({ field: 'from', problem: 'says from which release devices may go back' })
  }
  return await db.transaction().execute(async (tx) => {
    await lockDecisions(tx)
    const state = await repository.current()
    const release = await findRelease(tx, input.releaseId)
    if (!release) return notFound('release')
    const question = questionOf(state, release, input)
    if (!question.ok) return refused(question.error)
    const open = await findCases(tx, { releaseId: input.releaseId, states: ['open', 'deferred'], kinds: [input.kind] })
    const same = open.find(({ path, decision }) => path === question.value.path && sameFrom(decision, input.from))
    if (same) return refused(askedAlready(same.id))
    return ok((await openCase(tx, state, question.value, actor, now)).id)
  })
}

function questionOf(state: RepositoryDraft, release: ReleaseRecord, input: ProposeInput): Result<Question, Refusal> {
  const askedFor = frozenOf(release)
  if (!askedFor) return refuse(notLetOut(release.id))
  const found = findPath(state, release, input)
  if (!found.ok) return found
  const at = targetPathFrom(found.value)
  const role = at && roleOf(at, input.kind)
  if (!at || role === undefined || !trustedKeysOf(state, role)) return refuse(noAuthority)
  const decision = decisionFor(state, release.id, askedFor, role, found.value, input)
  if (!decision.ok) return decision
  const { kind, reason, releaseId } = input
  return ok({
    kind,
    releaseId,
    board: at.board,
    role,
    path: found.value,
    decision: decision.value,
    askedFor,
    reason,
  })
}

/** The parts that were frozen when the release was asked about. */
function frozenOf(release: ReleaseRecord): AskedFor | undefined {
  const { counter, manifest_sha256: manifestSha256, manifest_size_bytes: manifestSizeBytes } = release
  const { audience, frozen_phases: phases, packages_pinned: packages } = release
  if (counter === null || manifestSha256 === null || manifestSizeBytes === null) return undefined
  const parts = { counter, manifestSha256, manifestSizeBytes, audience: audience ?? 0 }
  return askedForOf(release, { ...parts, phases: phases ?? [], packages: packages ?? [] })
}

/** The path that the decision is about: where the release is listed, or where it will be. */
function findPath(state: RepositoryDraft, release: ReleaseRecord, { kind }: ProposeInput): Result<string, Refusal> {
  const line = lineRoleIn(state, release.product_line)
  if (!line) return refuse(state.root ? notListed(release.id) : noAuthority)
  const { board } = line
  const pathOf = (way: TargetPath['kind']) =>
    targetPathText({ board, line: release.product_line, kind: way, release: release.id })
  const [normal, emergency, stop] = [pathOf('normal'), pathOf('emergency'), pathOf('stop')]
  const isIn = (role: string, path: string) => Object.hasOwn(state.roles[role]?.signed.targets ?? {}, path)
  const hasEmergency = isIn(emergencyRoleName(board), emergency)
  switch (kind) {
    case 'stop':
      return isIn(stopRoleName(board), stop) ? refuse(isStopped(release.id)) : ok(stop)
    case 'lift-stop':
      return isIn(stopRoleName(board), stop) ? ok(stop) : refuse(isNotStopped(release.id))
    case 'ratify':
      return hasEmergency ? ok(normal) : refuse(notListed(release.id))
    case 'withdraw':
    case 'back-out-from':
    case 'open-phases':
      if (isIn(line.role, normal)) return ok(normal)
      return hasEmergency && kind !== 'open-phases' ? ok(emergency) : refuse(notListed(release.id))
    default:
      return unreachable(kind)
  }
}

function roleOf({ board, line, kind }: TargetPath, asked: LaterKind): string | undefined {
  const name = asked === 'stop' || asked === 'lift-stop' ? stopRoleName(board) : undefined
  const role = name ?? (kind === 'emergency' ? emergencyRoleName(board) : `${board}.${line}`)
  return roleNameFrom(role) && role
}

function decisionFor(
  state: RepositoryDraft,
  releaseId: string,
  asked: AskedFor,
  role: string,
  path: string,
  { kind, from, reason }: ProposeInput,
): Result<RoleDecision, Refusal> {
  const emergencyPath = path.replace('/normal/', '/emergency/')
  switch (kind) {
    case 'withdraw':
    case 'lift-stop':
      return ok({ kind, path })
    case 'back-out-from':
      return ok({ kind, path, from: from ?? '' })
    case 'stop': {
      const custom = { kind, productLine: asked.productLine, release: releaseId, reason: reason.slice(0, 500) } as const
      return ok({
        kind,
        path,
        target: { length: asked.manifestSizeBytes, hashes: { sha256: asked.manifestSha256 }, custom },
      })
    }
    case 'ratify': {
      const board = path.split('/', 1)[0] ?? ''
      const live = liveReleases(state, emergencyRoleName(board)).find((one) => one.path === emergencyPath)
      return live ? ok({ kind, emergencyPath, target: live.target }) : refuse(notListed(releaseId))
    }
    case 'open-phases': {
      const signed = liveReleases(state, role).find((one) => one.path === path)?.target.custom.phases ?? []
      const phases = asked.phases.map(limitOf).filter(({ order }) => signed.every((one) => one.order !== order))
      return phases.length > 0 ? ok({ kind, path, phases }) : refuse(nothingToOpen(releaseId))
    }
    default:
      return unreachable(kind)
  }
}

function sameFrom(decision: RoleDecision, from: string | undefined): boolean {
  return decision.kind !== 'back-out-from' || decision.from === from
}

function refusal(rule: string, fact: string, next: string): Refusal {
  return { rule, fact, lifter: 'The release board', next }
}

const notLetOut = (id: string) =>
  refusal('release-was-asked-about', `No board was asked about ${id} yet.`, 'Ask its board for a Go.')
const notListed = (id: string) =>
  refusal('release-is-listed', `No board lists ${id}, so devices take it from nobody.`, 'Nothing needs to be done.')
const isStopped = (id: string) =>
  refusal('stop-is-new', `${id} is on the stop list already.`, 'Nothing needs to be done.')
const isNotStopped = (id: string) =>
  refusal('stop-is-there', `${id} is not on the stop list.`, 'Nothing needs to be done.')
const nothingToOpen = (id: string) =>
  refusal('phases-are-left', `All phases of ${id} were signed with its Go.`, 'Nothing needs to be done.')
const askedAlready = (id: string) =>
  refusal('question-is-new', `The board is asked this in ${id}.`, `Decide there, or take ${id} back.`)
