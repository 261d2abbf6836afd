import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { orpc } from '#/api/client.ts'

/** What a person can do to a rollout. None of it is optimistic: the page shows what the server has written. */
export function useRolloutActs() {
  const queries = useQueryClient()
  async function refresh() {
    await Promise.all([
      queries.invalidateQueries({ queryKey: orpc.deliver.rollout.key() }),
      queries.invalidateQueries({ queryKey: orpc.plan.release.key() }),
      queries.invalidateQueries({ queryKey: orpc.platform.ledger.key() }),
    ])
  }
  const { rollout, phase } = orpc.deliver
  return {
    start: useMutation(rollout.start.mutationOptions({ onSuccess: refresh })),
    pause: useMutation(rollout.pause.mutationOptions({ onSuccess: refresh })),
    explainPause: useMutation(rollout.explainPause.mutationOptions({ onSuccess: refresh })),
    resume: useMutation(rollout.resume.mutationOptions({ onSuccess: refresh })),
    acceptResidual: useMutation(rollout.acceptResidual.mutationOptions({ onSuccess: refresh })),
    backOut: useMutation(
      rollout.backOut.mutationOptions({
        onSuccess: async () => {
          notifications.show({ message: 'Back-out requested. Devices return as they next check in.' })
          await refresh()
        },
      }),
    ),
    cancel: useMutation(orpc.plan.release.cancel.mutationOptions({ onSuccess: refresh })),
    pausePhase: useMutation(phase.pause.mutationOptions({ onSuccess: refresh })),
    resumePhase: useMutation(phase.resume.mutationOptions({ onSuccess: refresh })),
    acceptPhase: useMutation(phase.accept.mutationOptions({ onSuccess: refresh })),
  }
}

export type RolloutActsState = ReturnType<typeof useRolloutActs>
