import { canonicalJson } from '@bascule/trust/canonical.ts'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { askSignPage } from './sign-window.ts'
import type { Statement } from './statement.ts'
import { asError, cancelled, problemFromRefusal } from './use-signing.ts'
import { signText, type BrowserKey } from '../key/browser-key.ts'
import type { MemberKey } from '../key/use-my-keys.ts'
import type { Case } from '../case/case-view.ts'
import { client, orpc } from '#/api/client.ts'

interface Saying {
  signed: Statement
  title: string
  key: MemberKey
  /** The private half, where this browser has it. */
  own: BrowserKey | undefined
  /** Address of the signing page, for the others. */
  page: string
}

/** Signs a no-go or a deferral and records it. */
export function useSaying({ id: caseId }: Case) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async ({ signed, title, key, own, page }: Saying) => {
      const signature =
        own === undefined
          ? await passkeySignature(page, signed, title, key)
          : { keyid: own.id, sig: await signText(own, canonicalJson(signed)) }
      return await client.decide.case.say({ caseId, statement: { signed, signatures: [signature] } })
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: orpc.decide.key() }),
  })
}

async function passkeySignature(page: string, signed: Statement, caseTitle: string, key: MemberKey) {
  const answer = await askSignPage(page, { type: 'say', signed, caseTitle, key })
  if (answer.type === 'refused') throw asError(problemFromRefusal(answer.refusal))
  if (answer.type !== 'said') throw asError(cancelled)
  return answer.signature
}
