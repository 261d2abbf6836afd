import { openDiskBlobStore } from '@bascule/content/blobs/disk-blob-store.ts'
import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import type { Report, TufKey } from '@bascule/contract/device/protocol.ts'
import { ReleasePlan, type PhasePlan } from '@bascule/contract/plan/release.ts'
import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { jobStates } from '@bascule/domain/deliver/job.ts'
import { manualClock, type ManualClock } from '@bascule/domain/lib/clock.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import { keyPairFromSeed, type KeyPair } from '@bascule/trust/keys.ts'
import { signReceipt } from '@bascule/trust/receipt.ts'
import { sql } from 'kysely'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type * as z from 'zod'
import { connect, type DatabaseHandle } from '#/platform/db/connect.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { openSigner, type Signer } from '#/signer/open-signer.ts'
import { createRelease } from '#/plan/release/release.service.ts'
import { createAudienceTrees } from '../rollout/audience-trees.ts'
import { rolloutReconciler } from '../rollout/rollout.reconciler.ts'
import { startRollout } from '../rollout/start-rollout.ts'
import type { AssignmentServices } from '../job/issue-assignments.ts'

import type { ArrivedReport } from '../receipt/report.store.ts'
import { onlineKeysOf, openBoards, type Boards, type Publisher } from './boards.ts'

export const startOfTests = Temporal.Instant.from('2026-11-23T08:00:00Z')

/** A real database, a real signer and real files, with devices that exist as rows; only the clock is the test's. */
export interface DeliveryWorld extends AsyncDisposable {
  readonly handle: DatabaseHandle
  readonly db: Db
  readonly call: Call
  readonly blobs: BlobStore
  readonly assignments: AssignmentServices
  /** The clock of the signer; every use case gets its time as an argument. */
  readonly clock: ManualClock
  readonly directorKey: TufKey
  readonly boards: Boards
  /** The signed metadata by file name, as devices fetch it. */
  readonly metadata: () => ReadonlyMap<string, string>
  readonly reconcile: (rolloutId: number, now?: Temporal.Instant) => Promise<void>
}

export async function createDeliveryWorld(): Promise<DeliveryWorld> {
  await using held = new AsyncDisposableStack()
  const database = held.use(await createTestDatabase())
  const handle = held.use(await connect({ connection: database.address }))
  const folder = await mkdtemp(join(tmpdir(), 'bascule-deliver-'))
  held.defer(async () => await rm(folder, { recursive: true, force: true }))
  // In this process, because a signer of its own reads the machine's clock and refuses what has ended by that.
  const clock = manualClock(startOfTests)
  const signer = held.use(openSigner(folder, clock))
  const { db } = handle
  const call: Call = {
    db,
    actor: { kind: 'person', id: 'ada', name: 'Ada Keeper', grants: [{ role: 'release-manager' }] },
    now: startOfTests,
  }
  const run = rolloutReconciler({ db, countSilent: () => ({ notStarted: 0, inProgress: 0, blocked: 0 }) })
  const boards = await openBoards(publisherOf(signer, clock))
  const all = held.move()
  return {
    handle,
    db,
    call,
    blobs: openDiskBlobStore(join(folder, 'blobs')),
    boards,
    metadata: () => new Map(signer.repository.filesForNewcomers().map(({ name, text }) => [name, text])),
    clock,
    directorKey: signer.status().directorKey,
    assignments: {
      db,
      signer: { signAssignments: async (items) => await Promise.resolve([...signer.sign(items)]) },
      audienceTrees: createAudienceTrees(db),
    },
    reconcile: async (rolloutId, now = startOfTests) => {
      await run(String(rolloutId), { now, log: pino({ level: 'silent' }) })
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** The board's documents go to a signer in this process, which reads the test's clock. */
function publisherOf(signer: Signer, clock: ManualClock): Publisher {
  return {
    onlineKeys: async () => await Promise.resolve(onlineKeysOf(signer.status())),
    publish: async (documents) => await Promise.resolve(signer.repository.publish(documents)),
    current: async () => await Promise.resolve(signer.repository.state),
    now: () => clock.now(),
  }
}

/** The key of the device with this fleet index; the same in every run. */
export function deviceKey(index: number): KeyPair {
  return keyPairFromSeed(createHash('sha256').update(`device ${index}`).digest())
}

/** Active devices as rows, fleet indexes 1..count. With `signing` they have real keys; without, only plausible ones. */
export async function addDevices(db: Db, count: number, signing = true): Promise<void> {
  const keys = signing ? Array.from({ length: count }, (_, at) => deviceKey(at + 1)) : []
  const keyId = signing
    ? sql`(${keys.map((key) => key.keyId)}::text[])[n]`
    : sql`encode(sha256(('k' || n)::bytea), 'hex')`
  const publicKey = signing
    ? sql`(${keys.map((key) => key.publicKey)}::text[])[n]`
    : sql`encode(sha256(('p' || n)::bytea), 'hex')`
  await sql`
    insert into device (key_id, public_key, name, state, state_since, agent_version, facts, terms, order_keys, enrolled_at)
    select ${keyId}, ${publicKey}, 'ws-' || lpad(n::text, 6, '0'), 'active', ${startOfTests.toString()}::timestamptz, '0.1.0',
      '{"os":"linux"}', array['os', 'os=linux'], '{}', ${startOfTests.toString()}::timestamptz
    from generate_series(1, ${count}) as n`.execute(db)
}

export interface WantedPhase {
  readonly query?: string
  readonly failureBudget?: number
  readonly inFlightMax?: number
  readonly soakSeconds?: number
  readonly advanceAtPermille?: number
  readonly silenceBudget?: number
}

/** A started rollout over all devices. Returns the rollout's id and its release. */
export async function aRollout(
  world: Pick<DeliveryWorld, 'db' | 'call' | 'blobs' | 'boards'>,
  phases: readonly WantedPhase[],
): Promise<{ rolloutId: number; releaseId: ReleaseId }> {
  await addLibrary(world.db)
  const plan = ReleasePlan.parse({
    title: 'Sales Desk',
    version: '2.0.0',
    productLine: 'sales-desk',
    packages: [{ name: 'salesdesk', version: '2.0.0' }],
    audience: { query: 'os:linux', mode: 'frozen' },
    phases: phases.map((phase, at) => ({ name: `Phase ${at + 1}`, ...phase })) as z.input<typeof PhasePlan>[],
  })
  const created = await createRelease(world.call, plan)
  if (!created.ok) throw new Error(JSON.stringify(created.error))
  await world.boards.authorise(world, created.value)
  const started = await startRollout(world.call, world.boards.repository, created.value)
  if (!started.ok) throw new Error(JSON.stringify(started.error))
  const row = await world.db
    .selectFrom('rollout')
    .select('id')
    .where('release_id', '=', created.value)
    .executeTakeFirstOrThrow()
  return { rolloutId: row.id, releaseId: created.value }
}

/** A package version and a product line as rows; their content is the library's own test. */
export async function addLibrary(db: Db): Promise<void> {
  const at = startOfTests.toString()
  await sql`insert into product_line (id, code, name, created_at) values (gen_random_uuid(), 'sales-desk', 'Sales Desk', ${at}::timestamptz)`.execute(
    db,
  )
  await sql`insert into package (id, name, vendor, class, created_at)
    values ('00000000-0000-4000-8000-000000000001', 'salesdesk', 'Example', 'application', ${at}::timestamptz)`.execute(
    db,
  )
  await sql`insert into package_version (id, package_id, version, index_digest, index_size_bytes, size_bytes, file_count, spec,
      uploaded_by_kind, uploaded_by_id, uploaded_by_name, uploaded_at)
    values (gen_random_uuid(), '00000000-0000-4000-8000-000000000001', '2.0.0', 'sha256:' || repeat('a', 64), 100, 1000, 1, '{}',
      'person', 'ada', 'Ada Keeper', ${at}::timestamptz)`.execute(db)
}

export type Outcome = 'committed' | 'rolled-back' | 'failed-unchanged'

/** A report as the device would make it; a terminal one carries a receipt signed by the device's own key. */
export function aReport(
  device: number,
  job: number,
  seq: number,
  step: Report['step'],
  before: string | null = '1.0.0',
): ArrivedReport {
  const at = startOfTests.toString()
  const report: Report = { seq, job: String(job), at, step, notes: [] }
  if (!isOutcome(step)) return { deviceId: device, report, sentence: step, receiptValid: null }
  const receipt = signReceipt(
    {
      _type: 'bascule-receipt',
      specVersion: 1,
      device: deviceKey(device).keyId,
      seq,
      job: String(job),
      release: 'REL-0001',
      manifestSha256: 'b'.repeat(64),
      generation: 1,
      action: 'install',
      outcome: step,
      packages: [
        {
          name: 'salesdesk',
          version: '2.0.0',
          index: `sha256:${'a'.repeat(64)}`,
          variant: 'linux',
          modules: ['core'],
          before,
          after: step === 'committed' ? '2.0.0' : before,
          fileCount: 1,
          treeSha256: 'c'.repeat(64),
        },
      ],
      verification: [{ level: 4, result: step === 'committed' ? 'passed' : 'failed', detail: 'health' }],
      cause: step === 'committed' ? null : 'The health command failed.',
      startedAt: at,
      finishedAt: at,
      agentVersion: '0.1.0',
    },
    deviceKey(device),
  )
  return { deviceId: device, report: { ...report, receipt }, sentence: step, receiptValid: true }
}

function isOutcome(step: Report['step']): step is Outcome {
  return step === 'committed' || step === 'rolled-back' || step === 'failed-unchanged'
}

/** Counters by recount of the job table, in the form of `countersOf`: what the kept counters must equal at all times. */
export async function recount(db: Db): Promise<string[]> {
  const rows = await sql<{ line: string }>`
    select rollout_id || '/' || phase || ' ' || action || ' ' || state || ' ' || count(*) as line
    from job group by rollout_id, phase, action, state`.execute(db)
  return rows.rows.map((row) => row.line).toSorted()
}

export async function countersOf(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('phase_count')
    .selectAll()
    .where('devices', '>', 0)
    .where('state', 'in', [...jobStates])
    .execute()
  return rows.map((row) => `${row.rollout_id}/${row.ord} ${row.action} ${row.state} ${row.devices}`).toSorted()
}
