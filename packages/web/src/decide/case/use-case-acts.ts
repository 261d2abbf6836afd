import { useMutation, useQueryClient } from '@tanstack/react-query'
import { orpc } from '#/api/client.ts'

/** What a person can do to a case. None of it is optimistic: a signature counts once the server has verified it. */
export function useCaseActs() {
  const queries = useQueryClient()
  const refresh = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: orpc.decide.key() }),
      queries.invalidateQueries({ queryKey: orpc.plan.release.key() }),
    ])
  return {
    ask: useMutation(orpc.decide.case.ask.mutationOptions({ onSuccess: refresh })),
    propose: useMutation(orpc.decide.case.propose.mutationOptions({ onSuccess: refresh })),
    say: useMutation(orpc.decide.case.say.mutationOptions({ onSuccess: refresh })),
    withdraw: useMutation(orpc.decide.case.withdraw.mutationOptions({ onSuccess: refresh })),
    sign: useMutation(orpc.decide.draft.sign.mutationOptions({ onSuccess: refresh })),
  }
}
