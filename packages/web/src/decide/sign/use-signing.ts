import { canonicalJson } from '@bascule/trust/canonical.ts'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { documentsFor, unsignedBy, type Draft } from './draft.ts'
import { askSignPage } from './sign-window.ts'
import { signText, type BrowserKey } from '../key/browser-key.ts'
import type { MemberKey } from '../key/use-my-keys.ts'
import type { DraftReview } from './review-draft.ts'
import { client, orpc } from '#/api/client.ts'
import type { Problem } from '#/ui/problem.ts'

export type SignWith =
  | { kind: 'browser'; key: BrowserKey; review: DraftReview }
  | { kind: 'passkey'; key: MemberKey; title: string; page: string }

type Signatures = Parameters<typeof client.decide.draft.sign>[0]['signatures']

/** Makes signatures and hands them to the server, which verifies each before it keeps it. */
export function useSigning(draft: Draft) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async (given: SignWith) => {
      const signatures =
        given.kind === 'browser' ? await ownSignatures(draft, given) : await passkeySignatures(draft, given)
      await client.decide.draft.sign({ draftId: draft.id, signatures })
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: orpc.decide.key() }),
  })
}

/** Over what was reviewed and nothing else: the documents come from the review, never again from the server. */
async function ownSignatures(
  draft: Draft,
  { key, review }: Extract<SignWith, { kind: 'browser' }>,
): Promise<Signatures> {
  const wanted = new Set(unsignedBy(draft, key.id).map(({ role }) => role))
  const documents = review.documents.filter(({ role }) => wanted.has(role))
  return await Promise.all(
    documents.map(async ({ role, signed }) => ({
      role,
      keyid: key.id,
      sig: await signText(key, canonicalJson(signed)),
    })),
  )
}

async function passkeySignatures(
  draft: Draft,
  { key, title, page }: Extract<SignWith, { kind: 'passkey' }>,
): Promise<Signatures> {
  const answer = await askSignPage(page, { type: 'sign', draft, caseTitle: title, key })
  if (answer.type === 'refused') throw asError(problemFromRefusal(answer.refusal))
  if (answer.type !== 'signed' || answer.draftId !== draft.id) throw asError(cancelled)
  const roles = new Set(documentsFor(draft, key.keyId).map(({ role }) => role))
  return answer.signatures.filter(({ role, keyid }) => roles.has(role) && keyid === key.keyId)
}

export const cancelled: Problem = {
  kind: 'broken',
  what: 'The signing page was closed before it signed',
  next: 'Nothing was signed. Try again when you are ready.',
}

/** What the signing page says no to, in the four parts of every refusal; only its shape is judged here. */
export function problemFromRefusal(refusal: unknown): Problem {
  const part = (key: string) => {
    const value: unknown = Reflect.get(Object(refusal), key)
    return typeof value === 'string' ? value : undefined
  }
  return {
    kind: 'refused',
    what: part('fact') ?? 'The signing page refused the draft',
    rule: part('rule'),
    lifter: part('lifter'),
    next: part('next') ?? 'Nothing was signed.',
  }
}

/** A problem on the way of an error, for the alert that shows either. */
export function asError(problem: Problem): Error {
  return Object.assign(new Error(problem.what), problem)
}
