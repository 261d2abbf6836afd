import { sql } from 'kysely'
import type { Generated } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import { farFuture } from '#/platform/db/type-parsers.ts'

declare module '#/platform/db/database.ts' {
  interface Database {
    timer: {
      kind: string
      key: string
      due_at: Temporal.Instant
      rev: Generated<number>
      locked_until: Temporal.Instant | null
      locked_by: string | null
      attempts: Generated<number>
      last_error: string | null
    }
  }
}

/** A run of one reconciler for one thing, taken by this server for a while. `rev` is what it was when taken. */
export interface Claim {
  readonly kind: string
  readonly key: string
  readonly rev: number
  /** Failures in a row so far. */
  readonly attempts: number
}

/**
 * Asks that the reconciler of this kind looks at this thing at `due` or sooner. In the transaction of the change that
 * calls for it. A wake while the reconciler runs makes it run once more.
 */
export async function wake(tx: Db, kind: string, key: string, due: Temporal.Instant): Promise<void> {
  await sql`insert into timer (kind, key, due_at) values (${kind}, ${key}, ${due}::timestamptz)
    on conflict (kind, key) do update set due_at = least(timer.due_at, excluded.due_at), rev = timer.rev + 1`.execute(
    tx,
  )
}

/**
 * True, and the transaction it stands in does not wait for the disk. A claim that a failing database forgets is made
 * again, and a run that it forgets was given back runs once more: reconcilers allow both. Never for a `wake`.
 */
const withoutWaiting = sql`(select set_config('synchronous_commit', 'off', true)) = 'off'`

/** Takes up to `limit` due runs of these kinds that nobody else holds. */
export async function claimDue(
  db: Db,
  options: { kinds: readonly string[]; limit: number; holder: string; now: Temporal.Instant; lease: Temporal.Duration },
): Promise<Claim[]> {
  const { now } = options
  const claimed = await sql<Claim>`
    update timer as t set locked_until = ${now.add(options.lease)}::timestamptz, locked_by = ${options.holder}
    from (
      select kind, key from timer
      where due_at <= ${now}::timestamptz and kind = any(${options.kinds}::text[])
        and (locked_until is null or locked_until < ${now}::timestamptz)
      order by due_at limit ${options.limit} for update skip locked
    ) as due
    where t.kind = due.kind and t.key = due.key and ${withoutWaiting}
    returning t.kind, t.key, t.rev, t.attempts`.execute(db)
  return claimed.rows
}

/**
 * Gives a run back. One UPDATE and not two statements: whether somebody woke it meanwhile (`rev` moved) and when it is
 * due next are decided on the same locked row, or a wake that came in between would be lost for good.
 */
export async function finishRun(
  db: Db,
  claim: Claim,
  holder: string,
  next: Temporal.Instant | undefined,
): Promise<void> {
  const due = next ?? farFuture
  await sql`update timer set locked_until = null, locked_by = null, attempts = 0, last_error = null,
      due_at = case when rev = ${claim.rev}::bigint then ${due}::timestamptz else least(due_at, ${due}::timestamptz) end
    where kind = ${claim.kind} and key = ${claim.key} and locked_by = ${holder} and ${withoutWaiting}`.execute(db)
}

/** Gives a failed run back, to be tried again at `retryAt`, or at once when somebody woke it meanwhile. */
export async function failRun(
  db: Db,
  claim: Claim,
  holder: string,
  failure: { retryAt: Temporal.Instant; error: string },
): Promise<void> {
  await sql`update timer set locked_until = null, locked_by = null, attempts = attempts + 1,
      last_error = ${failure.error.slice(0, 2000)},
      due_at = case when rev = ${claim.rev}::bigint then ${failure.retryAt}::timestamptz else due_at end
    where kind = ${claim.kind} and key = ${claim.key} and locked_by = ${holder} and ${withoutWaiting}`.execute(db)
}

/** Keeps runs that take long. A server that died stops doing this, and another takes them over. */
export async function renewClaims(db: Db, holder: string, until: Temporal.Instant): Promise<void> {
  await sql`update timer set locked_until = ${until}::timestamptz where locked_by = ${holder} and ${withoutWaiting}`.execute(
    db,
  )
}
