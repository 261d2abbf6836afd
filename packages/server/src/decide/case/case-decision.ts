import { type Refusal, type Result, ok, refuse, unreachable } from '@bascule/domain/lib/result.ts'
import type { ReleaseTarget, ReleasesSigned } from '@bascule/trust/tuf/documents.ts'
import type { RoleDecision } from '@bascule/trust/tuf/draft.ts'
import { stopRoleName, targetPathFrom } from '@bascule/trust/tuf/names.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import { limitOf } from '#/plan/release/manifest.ts'
import type { CaseRecord } from './case.store.ts'
import type { AskedFor } from './case.tables.ts'

/** A line lists this many live releases; older ones leave with the next Go. What is installed stays installed. */
const liveReleasesMax = 5
/** What the form of a signed release allows. */
const backOutFromMax = 20

/**
 * The one change of the role file that a case asks for, over what is published now. A Go is made anew whenever its
 * document is: which releases are live, and so which ways back it signs, may have changed while it waited.
 */
export function decisionOfCase(
  { kind, path, role, board, release_id: releaseId, asked_for: asked, decision }: Decided,
  state: RepositoryDraft,
  isUnderWay: (releaseId: string) => boolean,
): Result<RoleDecision, Refusal> {
  switch (kind) {
    case 'go': {
      const target = targetOf(releaseId, asked)
      return ok({ kind, path, target, ...wayBack({ role, board, backOut: asked.backOut }, state, isUnderWay) })
    }
    case 'emergency':
      return ok({ kind, path, target: targetOf(releaseId, asked) })
    case 'ratify':
      return ratifying(path, state)
    case 'open-phases':
    case 'withdraw':
    case 'back-out-from':
    case 'stop':
    case 'lift-stop':
      return ok(decision)
    default:
      return unreachable(kind)
  }
}

type Decided = Pick<CaseRecord, 'kind' | 'path' | 'role' | 'board' | 'release_id' | 'asked_for' | 'decision'>

/** The release as devices will be told of it, from what was frozen. */
export function targetOf(releaseId: string, asked: AskedFor): ReleaseTarget {
  return {
    length: asked.manifestSizeBytes,
    hashes: { sha256: asked.manifestSha256 },
    custom: {
      kind: 'release',
      productLine: asked.productLine,
      release: releaseId,
      counter: asked.counter,
      phases: asked.phases.map(limitOf),
      deadline: null,
      backoutFrom: [],
      autoBackout: asked.autoBackout,
      mayRemove: asked.mayRemove,
      decisionSha256: null,
    },
  }
}

/** Releases that a role lists, the newest first. */
export function liveReleases(state: RepositoryDraft, role: string): { path: string; target: ReleaseTarget }[] {
  const signed = state.roles[role]?.signed as ReleasesSigned | undefined
  return Object.entries(signed?.targets ?? {})
    .map(([path, target]) => ({ path, target }))
    .sort((a, b) => b.target.custom.counter - a.target.custom.counter)
}

/** Ids of releases that the stop list of a board names. */
export function stoppedReleases(state: RepositoryDraft, board: string): Set<string> {
  const stops = Object.keys(state.roles[stopRoleName(board)]?.signed.targets ?? {})
  return new Set(stops.flatMap((path) => targetPathFrom(path)?.release ?? []))
}

function wayBack(
  { role, board, backOut }: { readonly role: string; readonly board: string; readonly backOut: AskedFor['backOut'] },
  state: RepositoryDraft,
  isUnderWay: (releaseId: string) => boolean,
): { retires: string[]; returns: string[] } {
  const live = liveReleases(state, role)
  const old = live.slice(liveReleasesMax - 1).filter(({ target }) => !isUnderWay(target.custom.release))
  const retires = old.map(({ path }) => path)
  const stopped = stoppedReleases(state, board)
  const returns = live.filter(
    ({ path, target }) =>
      backOut === 'pre-authorised' &&
      !retires.includes(path) &&
      !stopped.has(target.custom.release) &&
      target.custom.backoutFrom.length < backOutFromMax,
  )
  return { retires, returns: returns.slice(0, backOutFromMax).map(({ path }) => path) }
}

/** The emergency release exactly as the small quorum signed it, on the path of its line. */
function ratifying(path: string, state: RepositoryDraft): Result<RoleDecision, Refusal> {
  const emergencyPath = path.replace('/normal/', '/emergency/')
  const at = targetPathFrom(emergencyPath)
  const live = at ? liveReleases(state, `${at.board}.emergency`) : []
  const found = live.find((one) => one.path === emergencyPath)
  if (found) return ok({ kind: 'ratify', emergencyPath, target: found.target })
  return refuse({
    rule: 'emergency-is-live',
    fact: `The emergency role does not list ${emergencyPath}, so there is nothing to ratify.`,
    lifter: 'Nobody',
    next: 'Ask the board for a Go of its own.',
  })
}
