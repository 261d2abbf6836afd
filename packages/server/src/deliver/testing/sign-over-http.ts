import type { AuthorityView } from '@bascule/contract/decide/authority.ts'
import type { CaseView } from '@bascule/contract/decide/case.ts'
import type { DraftView } from '@bascule/contract/decide/signing.ts'
import { signDocument } from '@bascule/trust/envelope.ts'
import type { KeyPair } from '@bascule/trust/keys.ts'
import { setTimeout } from 'node:timers/promises'
import { ceremonyOf, members } from './boards.ts'

/** Asks the API of a server as somebody who is signed in; throws what is not a good answer. */
export type Ask = <Answer>(method: 'GET' | 'POST', path: string, body?: object) => Promise<Answer>

/** Custodians and members propose the first files, signed, as their tools do; the signer publishes them. */
export async function holdCeremony(ask: Ask, lines: readonly string[] = ['sales-desk']): Promise<void> {
  const { onlineKeys } = await ask<AuthorityView>('GET', '/decide/authority')
  const online = {
    snapshot: onlineKeys.snapshot.keyval.public,
    timestamp: onlineKeys.timestamp.keyval.public,
    director: onlineKeys.director.keyval.public,
  }
  const { documents, decisions } = ceremonyOf(online, lines, Temporal.Now.instant())
  const proposed = Object.entries(documents).map(([role, { signed, signatures }]) => ({
    role,
    decision: decisions[role],
    signed,
    signatures,
  }))
  const made = await ask<DraftView>('POST', '/decide/drafts', {
    title: 'First ceremony',
    kind: 'ceremony',
    documents: proposed,
  })
  await until(async () => (await ask<DraftView>('GET', `/decide/drafts/${made.id}`)).state === 'published')
}

/** Asks the board about a release, and lets two of its members sign the Go that the server drafts. */
export async function letOut(ask: Ask, releaseId: string): Promise<void> {
  const { caseId } = await ask<{ caseId: string }>('POST', `/releases/${releaseId}/ask-board`, {})
  await signCase(ask, caseId, members.slice(0, 2))
  await until(async () => (await ask<CaseView>('GET', `/decide/cases/${caseId}`)).state === 'go')
}

/** Signs what the server has drafted for a case. */
export async function signCase(ask: Ask, caseId: string, signers: readonly KeyPair[]): Promise<void> {
  const { draft } = await ask<CaseView>('GET', `/decide/cases/${caseId}`)
  if (!draft) throw new Error(`${caseId} has no draft to sign`)
  const signatures = draft.documents.flatMap(({ role, signed }) =>
    signDocument(signed, signers).signatures.map((signature) => ({ role, ...signature })),
  )
  await ask('POST', `/decide/drafts/${draft.id}/sign`, { signatures })
}

const lookAgainMs = 50
const looksMax = 600

async function until(isThere: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < looksMax; look += 1) {
    if (await isThere()) return
    await setTimeout(lookAgainMs)
  }
  throw new Error('The signer has not published what was signed')
}
