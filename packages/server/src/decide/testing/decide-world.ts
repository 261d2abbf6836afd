import { manualClock, type ManualClock } from '@bascule/domain/lib/clock.ts'
import type { CaseId, ReleaseId } from '@bascule/domain/lib/ids.ts'
import { ReleasePlan } from '@bascule/contract/plan/release.ts'
import type { CaseView } from '@bascule/contract/decide/case.ts'
import { signDocument } from '@bascule/trust/envelope.ts'
import type { KeyPair } from '@bascule/trust/keys.ts'
import { signHex } from '@bascule/trust/keys.ts'
import type { ReleasesSigned } from '@bascule/trust/tuf/documents.ts'
import { signStatement, type StatementSigned } from '@bascule/trust/statement.ts'
import type { DraftView } from '@bascule/contract/decide/signing.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRelease } from '#/plan/release/release.service.ts'
import { addDevices, addLibrary } from '#/deliver/testing/delivery-world.ts'
import { type Caller, startTestServer, type TestServer } from '#/platform/test/test-server.ts'
import { openSigner, type Signer } from '#/signer/open-signer.ts'
import { serveSigner } from '#/signer/serve-signer.ts'
import { everybody, givenBoard, type GivenBoardOptions, type TestBoard, testKey, valueOf } from './given-board.ts'

export const startOfTests = Temporal.Instant.from('2026-11-23T08:00:00Z')
export const productLine = 'sales-desk'
const lineRole = `company.${productLine}`

/** A server on a real database and a real signer over its socket, on one clock of the test, with a board and three people. */
export interface DecideWorld extends AsyncDisposable {
  readonly server: TestServer
  readonly clock: ManualClock
  readonly signer: Signer
  readonly board: TestBoard
  /** Ann and Ben are members who signed in; Mira plans releases; Otto runs ceremonies. */
  readonly ann: Caller
  readonly ben: Caller
  readonly mira: Caller
  readonly otto: Caller
  /** A planned release of the line for all devices. */
  plan(change?: Partial<ReleasePlan>): Promise<ReleaseId>
  ask(releaseId: ReleaseId, path?: 'normal' | 'emergency'): Promise<CaseId>
  get<T>(path: string): Promise<T>
  /** Signs what the case asks, as these people, and lets the server do what follows. */
  sign(caseId: CaseId, ...signers: readonly KeyPair[]): Promise<CaseView>
  /** Says no or later, under a key. */
  say(caseId: CaseId, speaker: KeyPair, what: { readonly kind: 'no-go' } | Deferral): Promise<CaseView>
  /** Paths that a role lists as published, of the product line when none is named. */
  listed(role?: string): string[]
  /** Entries of the product line as published. */
  targets(): ReleasesSigned['targets']
  releaseState(releaseId: ReleaseId): Promise<string>
  draftOf(caseId: CaseId): Promise<DraftView>
  /** Asks for a decision about a release that was let out. */
  propose(releaseId: ReleaseId, body: object): ReturnType<Caller['ask']>
  /** Runs everything that is due. */
  settle(): Promise<void>
}

export interface Deferral {
  readonly kind: 'defer'
  readonly untilOn: string
}

export interface DecideWorldOptions extends Pick<GivenBoardOptions, 'threshold' | 'quorum' | 'members'> {
  readonly withBoard?: boolean
  readonly productLines?: readonly string[]
}

export async function createDecideWorld(options: DecideWorldOptions = {}): Promise<DecideWorld> {
  await using held = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'decide-'))
  held.defer(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const clock = manualClock(startOfTests)
  const signer = held.use(openSigner(folder, clock))
  const signerSocket = join(folder, 's.sock')
  held.use(
    await serveSigner(signer, signerSocket, (error) => {
      throw error
    }),
  )
  const server = held.use(await startTestServer({ now: () => clock.now(), signerSocket }))
  const { services, db } = server
  const { withBoard = true, productLines = [productLine], ...rest } = options
  const given = { signer: services.signer, at: clock.now(), productLines, ...rest }
  const board: TestBoard = withBoard
    ? await givenBoard(given)
    : { code: 'company', members: ['ann', 'ben', 'cleo'].map(testKey), custodians: [], threshold: 2 }
  await services.repository.refresh()
  await addLibrary(db)
  await addDevices(db, 6)
  const [ann, ben, mira, otto] = await Promise.all([
    server.signIn('Ann', { role: 'board-member' }),
    server.signIn('Ben', { role: 'board-member' }),
    server.signIn('Mira', { role: 'release-manager' }),
    server.signIn('Otto', { role: 'administrator' }, { role: 'board-member' }),
  ])
  const get = async <T>(path: string): Promise<T> => bodyOf<T>(await ann.ask('GET', path))
  const settle = async () => {
    await services.worker.runDue()
  }
  const all = held.move()
  return {
    server,
    clock,
    signer,
    board,
    ann,
    ben,
    mira,
    otto,
    get,
    settle,
    listed: (role = lineRole) => Object.keys(signer.repository.state.roles[role]?.signed.targets ?? {}),
    targets: () => (signer.repository.state.roles[lineRole]?.signed.targets ?? {}) as ReleasesSigned['targets'],
    async releaseState(id) {
      const row = await db.selectFrom('release').select('state').where('id', '=', id).executeTakeFirstOrThrow()
      return row.state
    },
    async draftOf(caseId) {
      const { draft } = await get<CaseView>(`/decide/cases/${caseId}`)
      if (!draft) throw new Error(`${caseId} has no draft`)
      return draft
    },
    propose: async (releaseId, body) => await ann.ask('POST', `/releases/${releaseId}/cases`, body),
    plan: async (change = {}) =>
      valueOf(await createRelease({ db, actor: everybody, now: clock.now() }, planOf(change))),
    ask: async (releaseId, path = 'normal') =>
      bodyOf<{ caseId: CaseId }>(await mira.ask('POST', `/releases/${releaseId}/ask-board`, { path })).caseId,
    async sign(caseId, ...signers) {
      const { draft } = await get<CaseView>(`/decide/cases/${caseId}`)
      bodyOf(await ann.ask('POST', `/decide/drafts/${draft?.id}/sign`, { signatures: signaturesOf(draft, signers) }))
      await settle()
      return await get<CaseView>(`/decide/cases/${caseId}`)
    },
    async say(caseId, speaker, what) {
      const statement = statementOf(await get<CaseView>(`/decide/cases/${caseId}`), speaker, what, clock.now())
      return bodyOf<CaseView>(await ann.ask('POST', `/decide/cases/${caseId}/statements`, { statement }))
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

type Reply = Awaited<ReturnType<Caller['ask']>>

/** The body of an answer that is none of our errors. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the contract's type once, here
export function bodyOf<T>(reply: Reply): T {
  if (reply.statusCode >= 400) throw new Error(`${reply.statusCode}: ${reply.body}`)
  return reply.json<T>()
}

/** The rule of a refusal, with the status before it. */
export function ruleOf(reply: Reply): string {
  return `${reply.statusCode} ${reply.json<{ data?: { rule?: string } }>().data?.rule ?? reply.body}`
}

/** What a member's tool sends after it has reviewed a draft. */
export function signaturesOf(draft: DraftView | null, signers: readonly KeyPair[]) {
  return (draft?.documents ?? []).flatMap(({ role, signed }) =>
    signDocument(signed, signers).signatures.map((one) => ({ ...one, role })),
  )
}

export function statementOf(
  { id, releaseId, manifestSha256 }: Pick<CaseView, 'id' | 'releaseId' | 'manifestSha256'>,
  speaker: KeyPair,
  what: { readonly kind: 'no-go' } | Deferral,
  at: Temporal.Instant,
) {
  const signed: StatementSigned = {
    _type: 'bascule-statement',
    specVersion: 1,
    by: speaker.keyId,
    at: at.toString(),
    release: releaseId,
    manifestSha256,
    reason: 'The test lab is not done.',
    case: id,
    ...what,
  }
  return signStatement(signed, speaker)
}

/** A person's key made known, as the local tool does it. */
export async function registerKey(person: Caller, pair: KeyPair, level = 3, label = 'laptop'): Promise<Reply> {
  const { publicKey } = pair
  const proof = signHex(pair, `bascule-member-key-v1\n${publicKey}\n${level}\n${label}`)
  return await person.ask('POST', '/decide/member-keys', { publicKey, level, label, proof })
}

function planOf(change: Partial<ReleasePlan>): ReleasePlan {
  return ReleasePlan.parse({
    title: 'Sales Desk',
    version: '2.0.0',
    productLine,
    packages: [{ name: 'salesdesk', version: '2.0.0' }],
    audience: { query: 'os:linux', mode: 'frozen' },
    phases: [{ name: 'Pilot', query: 'name:ws-000001' }, { name: 'Everybody' }],
    ...change,
  })
}
