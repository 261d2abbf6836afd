import { assert } from '@bascule/domain/lib/result.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import type { BoardDecision } from '@bascule/trust/tuf/board-draft.ts'
import type { RoleDecision } from '@bascule/trust/tuf/draft.ts'
import type { RootDecision } from '@bascule/trust/tuf/root-draft.ts'
import type { Result } from '@bascule/domain/lib/result.ts'
import { signDocument } from '@bascule/trust/envelope.ts'
import { type KeyPair, keyPairFromSeed } from '@bascule/trust/keys.ts'
import { buildBoard, buildReleases, buildRoot, buildStops, buildTargets } from '@bascule/trust/tuf/build.ts'
import type { ReleasesSigned, ReleaseTarget } from '@bascule/trust/tuf/documents.ts'
import { lineRoleName, targetPathText } from '@bascule/trust/tuf/names.ts'
import type { Documents } from '@bascule/trust/tuf/publish.ts'
import type { PublishRefusal } from '@bascule/trust/tuf/publish-checks.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import { createHash } from 'node:crypto'
import { freezeRelease } from '#/plan/release/freeze-release.ts'
import { limitOf } from '#/plan/release/manifest.ts'
import { findRelease, lockRelease, setReleaseState, type ReleaseRecord } from '#/plan/release/release.service.ts'
import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import type { Services } from '#/platform/feature.ts'
import type { SignerStatus } from '#/signer/protocol.ts'
import type { Call } from '#/platform/http/os.ts'
import { writeWithin } from '#/platform/db/read-within.ts'

const board = 'desk'
/** Members of the board; two of them are its quorum. */
export const members = ['mona', 'milo', 'mira'].map(keyOf)
const custodians = ['cora', 'carl'].map(keyOf)

function keyOf(name: string): KeyPair {
  return keyPairFromSeed(createHash('sha256').update(`key of ${name}`).digest())
}

/** Where signed documents go: a signer in this process, or the one behind a server. */
export interface Publisher {
  /** Public keys that a ceremony names for the roles that the signer renews. */
  onlineKeys(): Promise<{ readonly snapshot: string; readonly timestamp: string; readonly director: string }>
  publish(documents: Documents): Promise<Result<unknown, PublishRefusal>>
  current(): Promise<RepositoryDraft>
  readonly now: () => Temporal.Instant
}

/** A real signed repository with one board, and its members, who sign here as they would with their own tools. */
export interface Boards {
  readonly repository: Pick<Publisher, 'current'>
  /** Freezes a release as it is when its board is asked. */
  freeze(world: World, releaseId: ReleaseId): Promise<ReleaseRecord>
  /** Two of three members sign the Go for what was frozen, and it is published. */
  signGo(release: ReleaseRecord): Promise<void>
  /** All of it: the release may start afterwards. */
  authorise(world: World, releaseId: ReleaseId): Promise<void>
}

type World = { readonly call: Call; readonly blobs: BlobStore }

/** Holds the ceremony of the board for these product lines. */
export async function openBoards(publisher: Publisher, lines: readonly string[] = ['sales-desk']): Promise<Boards> {
  async function publish(documents: Documents): Promise<void> {
    const published = await publisher.publish(documents)
    if (!published.ok) throw new Error(JSON.stringify(published.error))
  }

  async function signGo(release: ReleaseRecord): Promise<void> {
    const role = lineRoleName(board, release.plan.productLine)
    const before = (await publisher.current()).roles[role]?.signed as ReleasesSigned
    const path = targetPathText({ board, line: release.plan.productLine, kind: 'normal', release: release.id })
    // The way back to what is live is signed with the Go, as a board does it.
    const live = Object.entries(before.targets).map(([key, { custom, ...rest }]) => [
      key,
      { ...rest, custom: { ...custom, backoutFrom: [...custom.backoutFrom, release.id] } },
    ])
    const targets = { ...Object.fromEntries(live), [path]: targetOf(release) }
    const next = buildReleases('line', { version: before.version + 1, at: publisher.now() }, targets)
    await publish({ [role]: signDocument(next, members.slice(0, 2)) })
  }

  async function freeze({ call: { db, now }, blobs }: World, releaseId: ReleaseId): Promise<ReleaseRecord> {
    const frozen = await writeWithin(db, async (tx, ask) => {
      const release = await lockRelease(tx, releaseId)
      assert(release !== undefined, `there is a release ${releaseId}`)
      return await freezeRelease(tx, ask, blobs, release, now)
    })
    if (!frozen.ok) throw new Error(JSON.stringify(frozen.error))
    const release = await findRelease(db, releaseId)
    assert(release !== undefined, `there is a release ${releaseId}`)
    return release
  }

  await publish(ceremonyOf(await publisher.onlineKeys(), lines, publisher.now()).documents)
  return {
    repository: publisher,
    freeze,
    signGo,
    async authorise(world, releaseId) {
      await signGo(await freeze(world, releaseId))
      await setReleaseState(world.call.db, releaseId, 'authorised', world.call.now.toString())
    },
  }
}

function targetOf(release: ReleaseRecord): ReleaseTarget {
  const { plan, counter, manifest_sha256: sha256, manifest_size_bytes: length, frozen_phases: phases } = release
  assert(counter !== null && sha256 !== null && length !== null && phases !== null, `${release.id} is frozen`)
  return {
    length,
    hashes: { sha256 },
    custom: {
      kind: 'release',
      productLine: plan.productLine,
      release: release.id,
      counter,
      phases: phases.map(limitOf),
      deadline: null,
      backoutFrom: [],
      autoBackout: plan.autoBackout,
      mayRemove: plan.mayRemove,
      decisionSha256: null,
    },
  }
}

type OnlineKeys = Awaited<ReturnType<Publisher['onlineKeys']>>

/** The first files of everybody, signed, with what was decided about each. */
export function ceremonyOf(
  online: OnlineKeys,
  lines: readonly string[],
  at: Temporal.Instant,
): { documents: Documents; decisions: Readonly<Record<string, RootDecision | BoardDecision | RoleDecision>> } {
  const issue = { version: 1, at }
  const quorum = (keys: readonly KeyPair[], threshold: number) => ({
    publicKeys: keys.map((key) => key.publicKey),
    threshold,
  })
  const only = (publicKey: string) => ({ publicKeys: [publicKey], threshold: 1 })
  const top = {
    root: quorum(custodians, 2),
    targets: quorum(custodians, 2),
    snapshot: only(online.snapshot),
    timestamp: only(online.timestamp),
  }
  const quorums = {
    ...Object.fromEntries(lines.map((line) => [lineRoleName(board, line), quorum(members, 2)])),
    [`${board}.emergency`]: quorum(members, 2),
    [`${board}.stop`]: quorum(members, 1),
  }
  const [director, boards] = [only(online.director), { [board]: quorum(members, 3) }]
  const documents = {
    root: signDocument(buildRoot(issue, top), custodians),
    targets: signDocument(buildTargets(issue, { director, boards }), custodians),
    [board]: signDocument(buildBoard(issue, quorums), members),
    ...Object.fromEntries(
      lines.map((line) => [lineRoleName(board, line), signDocument(buildReleases('line', issue, {}), members)]),
    ),
    [`${board}.emergency`]: signDocument(buildReleases('emergency', issue, {}), members),
    [`${board}.stop`]: signDocument(buildStops(issue, {}), members),
  }
  const decisions = {
    ...Object.fromEntries(Object.keys(quorums).map((role) => [role, { kind: 'renew' } as const])),
    root: { kind: 'set-keys', ...top },
    targets: { kind: 'set-roles', roles: { ...boards, director } },
    [board]: { kind: 'set-roles', roles: quorums },
  } as const
  return { documents, decisions }
}

export function onlineKeysOf({ directorKey, onlineKeys }: Pick<SignerStatus, 'directorKey' | 'onlineKeys'>) {
  const { snapshot, timestamp } = onlineKeys
  return {
    snapshot: snapshot.keyval.public,
    timestamp: timestamp.keyval.public,
    director: directorKey.keyval.public,
  }
}

/** The board of a server: its documents go to the signer behind it. */
export async function boardsOf(services: Pick<Services, 'signer' | 'repository' | 'now'>, lines?: readonly string[]) {
  const { signer, repository, now } = services
  return await openBoards(
    {
      onlineKeys: async () => onlineKeysOf(await signer.status()),
      async publish(documents) {
        const published = await signer.publish(documents)
        await repository.refresh()
        return published
      },
      current: async () => await repository.current(),
      now,
    },
    lines,
  )
}
