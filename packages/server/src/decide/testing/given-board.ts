import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import { assert } from '@bascule/domain/lib/result.ts'
import { type Envelope, signDocument } from '@bascule/trust/envelope.ts'
import { type KeyPair, keyPairFromSeed } from '@bascule/trust/keys.ts'
import {
  buildBoard,
  buildReleases,
  buildRoot,
  buildStops,
  buildTargets,
  type MemberQuorum,
} from '@bascule/trust/tuf/build.ts'
import type { Documents } from '@bascule/trust/tuf/publish.ts'
import { createHash } from 'node:crypto'
import { pino } from 'pino'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import type { SignerClient } from '#/platform/signer-client.ts'
import type { SignedRepository } from '../authority/signed-repository.ts'
import { askBoard } from '../case/ask-board.ts'
import { findCases } from '../case/case.store.ts'
import { signDraft } from '../draft/draft.service.ts'
import { findDraftsOfCases } from '../draft/draft.store.ts'
import { draftReconciler } from '../draft/draft.reconciler.ts'

export const boardCode = 'company'

/** A board that is published: the first `threshold` of its members decide, all of them govern, each may stop. */
export interface TestBoard {
  readonly code: typeof boardCode
  readonly members: readonly KeyPair[]
  readonly custodians: readonly KeyPair[]
  readonly threshold: number
}

export interface GivenBoardOptions {
  readonly signer: Pick<SignerClient, 'status' | 'publish'>
  readonly at: Temporal.Instant
  readonly productLines: readonly string[]
  readonly members?: readonly KeyPair[]
  readonly threshold?: number
  readonly quorum?: Pick<MemberQuorum, 'levels' | 'minLevel'>
}

/** The key of a person of tests; the same in every run. */
export function testKey(name: string): KeyPair {
  return keyPairFromSeed(createHash('sha256').update(`key of ${name}`).digest())
}

/** Holds the first ceremony with a signer: two custodians, the board `company`, and an empty file for each of its roles. */
export async function givenBoard(options: GivenBoardOptions): Promise<TestBoard> {
  const { members = ['ann', 'ben', 'cleo'].map(testKey), threshold = 2 } = options
  const board: TestBoard = { code: boardCode, members, custodians: ['cora', 'carl'].map(testKey), threshold }
  const { directorKey, onlineKeys } = await options.signer.status()
  const online = {
    snapshot: onlineKeys.snapshot.keyval.public,
    timestamp: onlineKeys.timestamp.keyval.public,
    director: directorKey.keyval.public,
  }
  const published = await options.signer.publish(ceremonyOf(board, online, options))
  assert(published.ok, `the first ceremony is published: ${JSON.stringify(published)}`)
  return board
}

type Online = Readonly<Record<'snapshot' | 'timestamp' | 'director', string>>

function ceremonyOf(board: TestBoard, online: Online, { at, productLines, quorum }: GivenBoardOptions): Documents {
  const { members, custodians, threshold } = board
  const issue = { version: 1, at }
  const of = (keys: readonly KeyPair[], count: number) => ({
    publicKeys: keys.map(({ publicKey }) => publicKey),
    threshold: count,
  })
  const only = (publicKey: string) => ({ publicKeys: [publicKey], threshold: 1 })
  const atTop = of(custodians, custodians.length)
  const root = { root: atTop, targets: atTop, snapshot: only(online.snapshot), timestamp: only(online.timestamp) }
  const deciding = { ...of(members, threshold), ...quorum }
  const lines = productLines.map((line) => `${boardCode}.${line}`)
  const roles = {
    ...Object.fromEntries(lines.map((role) => [role, deciding])),
    [`${boardCode}.emergency`]: deciding,
    [`${boardCode}.stop`]: { ...deciding, threshold: 1 },
  }
  const targets = buildTargets(issue, { director: only(online.director), boards: { [boardCode]: deciding } })
  const listing = (kind: 'line' | 'emergency') => signDocument(buildReleases(kind, issue, {}), members)
  return {
    root: signDocument(buildRoot(issue, root), custodians),
    targets: signDocument(targets, custodians),
    [boardCode]: signDocument(buildBoard(issue, roles), members),
    ...Object.fromEntries(lines.map((role) => [role, listing('line')])),
    [`${boardCode}.emergency`]: listing('emergency'),
    [`${boardCode}.stop`]: signDocument(buildStops(issue, {}), members),
  }
}

export interface DecidingServices {
  readonly db: Db
  readonly blobs: BlobStore
  readonly signer: Pick<SignerClient, 'publish'>
  readonly repository: Pick<SignedRepository, 'current' | 'refresh' | 'state'>
}

/** Somebody who may ask, sign and compose boards: what a test does beside its subject. */
export const everybody: Actor = {
  kind: 'person',
  id: '00000000-0000-4000-8000-0000000000aa',
  name: 'Ada Everywhere',
  grants: [{ role: 'release-manager' }, { role: 'board-member' }, { role: 'administrator' }],
}

/** The board says Go: its members sign the draft of the release's case, which is asked here if it was not, and it is published. */
export async function boardSays(
  services: DecidingServices,
  board: TestBoard,
  releaseId: ReleaseId,
  now: Temporal.Instant,
): Promise<void> {
  const call: Call = { db: services.db, actor: everybody, now }
  const [open] = await findCases(services.db, { releaseId, states: ['open'] })
  const caseId = open?.id ?? valueOf(await askBoard(call, services, { releaseId, path: 'normal' }))
  const draft = (await findDraftsOfCases(services.db, [caseId])).get(caseId)
  assert(draft?.state === 'signing', `the draft of ${caseId} is there to be signed`)
  const signatures = draft.documents.flatMap(({ role, signed }) =>
    signedBy(signed, board.members.slice(0, board.threshold)).signatures.map((one) => ({ ...one, role })),
  )
  valueOf(await signDraft(call, services.repository, { draftId: draft.id, signatures }))
  await draftReconciler(services)(draft.id, { now, log: pino({ level: 'silent' }) })
}

function signedBy(signed: unknown, members: readonly KeyPair[]): Envelope<unknown> {
  return signDocument(signed, members)
}

/** The value of an answer that a test takes for granted. */
export function valueOf<T>(answer: Answer<T>): T {
  assert(answer.ok, `the answer is no refusal: ${JSON.stringify(answer)}`)
  return answer.value
}
