import { refuse, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import type { Draft } from './draft.ts'
import { fetchBlob, fetchTufFile } from '#/sign-page/fetch-files.ts'
import { readMemory, writeMemory } from '#/sign-page/own-memory.ts'
import { lookAtBoards, type OwnView } from '#/sign-page/own-view.ts'
import { listingRoles, reviewDocuments, type Reviewed } from '#/sign-page/review.ts'

/** What this browser has found in a draft: what is signed and what it means, and from which root it was verified. */
export interface DraftReview {
  readonly documents: readonly Reviewed[]
  readonly anchor: OwnView['anchor']
}

/**
 * The same check as on the signing page, on this origin and with this origin's memory of what it has seen. It protects
 * against a database or a backup in wrong hands; a server in wrong hands could change this very code, and the words
 * for level 1 say so.
 */
export async function reviewDraftHere(draft: Draft, keyId: string): Promise<Result<DraftReview, Refusal>> {
  if (!('Temporal' in globalThis)) return refuse(tooOld)
  const documents = draft.documents.map(({ role, decision, signed, signatures }) => ({
    role,
    decision,
    signed: signed as Readonly<Record<string, unknown>>,
    signatures,
  }))
  const roles = listingRoles(documents)
  if (!roles.ok) return roles
  const at = Temporal.Now.instant()
  const view = await lookAtBoards({ fetchFile: fetchTufFile, memory: await readMemory(), at }, roles.value)
  if (!view.ok) return view
  await writeMemory(view.value.memory)
  const reviewed = await reviewDocuments({ view: view.value, documents, keyId, at, fetchBlob })
  return reviewed.ok ? { ok: true, value: { documents: reviewed.value, anchor: view.value.anchor } } : reviewed
}

const tooOld: Refusal = {
  rule: 'browser-can-check',
  fact: 'This browser is too old to check a draft before it signs.',
  lifter: 'You',
  next: 'Use a newer browser, or sign with the bascule command line.',
}
