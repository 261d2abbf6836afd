import type { Db } from '#/platform/db/database.ts'
import { publish } from '#/platform/events/publish.ts'
import type { ActorName } from '#/platform/lib/actor.ts'
import './ledger.tables.ts'

/** Something that happened: who did what to what, when, and how it was before and after. */
export interface Fact {
  readonly actor: ActorName
  readonly at: Temporal.Instant
  /** Noun and verb in the past: `person.retired`. */
  readonly did: string
  readonly subject: { readonly kind: string; readonly id: string }
  readonly releaseId?: string | undefined
  readonly before?: unknown
  readonly after?: unknown
}

/**
 * Writes facts into the ledger and tells the browsers, all within the transaction of the change: without commit
 * there is neither. Returns the number of the last fact, which only grows and serves as the subject's version.
 */
export async function record(tx: Db, ...facts: readonly Fact[]): Promise<number> {
  const rows = await tx
    .insertInto('ledger')
    .values(facts.map(rowFrom))
    .returning(['id', 'subject_kind', 'subject_id'])
    .execute()
  await publish(
    tx,
    rows.map((row) => ({ entity: row.subject_kind, id: row.subject_id, version: String(row.id) })),
  )
  return rows.at(-1)?.id ?? 0
}

function rowFrom(fact: Fact) {
  return {
    at: fact.at,
    actor_kind: fact.actor.kind,
    actor_id: fact.actor.id,
    actor_name: fact.actor.name,
    did: fact.did,
    subject_kind: fact.subject.kind,
    subject_id: fact.subject.id,
    release_id: fact.releaseId ?? null,
    before: jsonText(fact.before),
    after: jsonText(fact.after),
  }
}

function jsonText(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}
