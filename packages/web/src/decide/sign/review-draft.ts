import type { Refusal } from '@bascule/domain/lib/result.ts'
import type { Draft } from './draft.ts'

/** One document as this browser has checked it: exactly what is signed, and what it changes in sentences. */
export interface ReviewedDocument {
  readonly role: string
  readonly signed: unknown
  readonly version: number
  readonly expiresAt: string
  readonly sentences: readonly string[]
}

export interface Reviewed {
  readonly documents: readonly ReviewedDocument[]
  /** The anchor that everything was verified from, and since when this browser knows it. */
  readonly anchor: { readonly sha256: string; readonly isNew: boolean }
}

export type ReviewOutcome =
  | { readonly ok: true; readonly value: Reviewed }
  | { readonly ok: false; readonly error: Refusal }

export async function reviewDraftHere(draft: Draft): Promise<ReviewOutcome> {
  throw new Error(`not wired ${draft.id}`)
}
