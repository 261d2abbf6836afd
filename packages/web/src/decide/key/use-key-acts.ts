import { useMutation, useQueryClient } from '@tanstack/react-query'
import { keepBrowserKey, makeBrowserKey, proofText, signText } from './browser-key.ts'
import { browserKeysQuery } from './use-my-keys.ts'
import { askSignPage } from '../sign/sign-window.ts'
import { asError, cancelled, problemFromRefusal } from '../sign/use-signing.ts'
import { client, orpc } from '#/api/client.ts'
import { useSession } from '#/api/session.ts'

/** Making and retiring keys of one's own. */
export function useKeyActs() {
  const queries = useQueryClient()
  const personName = useSession()?.person?.name ?? ''
  const refresh = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: orpc.decide.memberKey.key() }),
      queries.invalidateQueries({ queryKey: browserKeysQuery.queryKey }),
    ])
  return {
    makeHere: useMutation({ mutationFn: makeHere, onSuccess: refresh }),
    makeWithPasskey: useMutation({
      mutationFn: ({ label, page }: { label: string; page: string }) => makeWithPasskey(page, label, personName),
      onSuccess: refresh,
    }),
    retire: useMutation(orpc.decide.memberKey.retire.mutationOptions({ onSuccess: refresh })),
  }
}

/** Kept before it is registered: a board must never count a key that nobody holds. */
async function makeHere(label: string): Promise<void> {
  const key = await makeBrowserKey(label)
  await keepBrowserKey(key)
  const proof = await signText(key, proofText(key.publicKey, 1, label))
  await client.decide.memberKey.register({ publicKey: key.publicKey, level: 1, label, proof })
}

async function makeWithPasskey(page: string, label: string, personName: string): Promise<void> {
  const answer = await askSignPage(page, { type: 'make-key', label, personName })
  if (answer.type === 'refused') throw asError(problemFromRefusal(answer.refusal))
  if (answer.type !== 'key') throw asError(cancelled)
  const { publicKey, wrapped, proof } = answer
  await client.decide.memberKey.register({ publicKey, level: 2, label, proof, wrapped })
}
