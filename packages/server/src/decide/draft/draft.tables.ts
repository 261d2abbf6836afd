import type { draftStates } from '@bascule/contract/decide/signing.ts'
import type { CaseId, DraftId } from '@bascule/domain/lib/ids.ts'
import type { Refusal } from '@bascule/domain/lib/result.ts'
import type { RoleSigned, RootSigned } from '@bascule/trust/tuf/documents.ts'
import type { ColumnType } from 'kysely'

export type DraftKind = 'decision' | 'governance' | 'ceremony'
export type DraftState = (typeof draftStates)[number]

/** One document on its way to a quorum: what was decided, and the bytes that say so. */
export interface StoredDocument {
  readonly role: string
  readonly decision: unknown
  readonly signed: RootSigned | RoleSigned
}

type At = ColumnType<Temporal.Instant, string, string>
type Json<T> = ColumnType<T, string, string>

export interface DraftTable {
  id: DraftId
  kind: DraftKind
  title: string
  state: DraftState
  case_id: CaseId | null
  roles: string[]
  documents: Json<StoredDocument[]>
  refusal: ColumnType<Refusal | null, string | null, string | null>
  proposed_by_id: string
  proposed_by: string
  proposed_at: At
  published_at: ColumnType<Temporal.Instant | null, string | null, string | null>
}

export interface DraftSignatureTable {
  draft_id: DraftId
  role: string
  key_id: string
  sig: string
  by_name: string
  at: At
}

declare module '#/platform/db/database.ts' {
  interface Database {
    draft: DraftTable
    draft_signature: DraftSignatureTable
  }
}
