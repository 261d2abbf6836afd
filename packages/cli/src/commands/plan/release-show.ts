import { buildCommand } from '@stricli/core'
import { rolloutLines } from '#/commands/deliver/rollout-lines.ts'
import { printResult, type CliContext } from '#/lib/context.ts'
import { releaseParameter, serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { withServer } from '#/lib/with-server.ts'

export const releaseShowCommand = buildCommand<ServerFlags, [string], CliContext>({
  docs: { brief: 'Show a release, its plan and how its rollout stands' },
  parameters: { positional: releaseParameter, flags: serverFlags },
  async func(flags, releaseId) {
    await withServer(this, flags, async (client) => {
      const release = await client.plan.release.get({ releaseId })
      const rollout = release.counter === null ? null : await client.deliver.rollout.get({ releaseId })
      const packages = release.packages.map(({ name, version }) => `${name} ${version}`).join(', ')
      printResult(this, flags.json, { release, rollout }, [
        `${release.id} ${release.title} ${release.version}: ${release.state}`,
        `Product line ${release.productLine}, by ${release.owner}`,
        `Packages ${packages}`,
        `Audience ${release.audience.query || 'everybody'} (${release.audience.mode})`,
        ...(rollout === null
          ? release.phases.map(({ name, query }, index) => `Phase ${index + 1} ${name}: ${query || 'who is left'}`)
          : [...rolloutLines(rollout), rollout.next]),
      ])
    })
  },
})
