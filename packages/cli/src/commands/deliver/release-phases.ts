import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { releaseParameter, serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { withServer } from '#/lib/with-server.ts'
import { rolloutLines, type RolloutSeen } from './rollout-lines.ts'

export const releasePhasesCommand = buildCommand<ServerFlags, [string], CliContext>({
  docs: { brief: 'Show the phases of a rollout with their limits, and what each waits for' },
  parameters: { positional: releaseParameter, flags: serverFlags },
  async func(flags, releaseId) {
    await withServer(this, flags, async (client) => {
      const rollout = await client.deliver.rollout.get({ releaseId })
      const lines = rolloutLines(rollout)
      const sentences = rollout.phases.flatMap((phase, at) => [lines[at] ?? '', `  ${limitsOf(phase)}`])
      printResult(this, flags.json, { releaseId, state: rollout.state, phases: rollout.phases }, sentences)
    })
  },
})

function limitsOf({ limits, verdict }: RolloutSeen['phases'][number]): string {
  const { failureBudget, inFlightMax, silenceBudget } = limits
  return `${failureBudget} may fail, ${inFlightMax} at a time, ${silenceBudget} may go quiet. ${verdict.because}`
}
