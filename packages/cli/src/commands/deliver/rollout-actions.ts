import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { releaseParameter, serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { withServer } from '#/lib/with-server.ts'

interface ReasonFlags extends ServerFlags {
  readonly reason: string
}

interface PauseFlags extends ServerFlags {
  readonly reason?: string
}

const reasonFlag = { kind: 'parsed', parse: String, brief: 'Why; it goes into the record' } as const

export const releaseStartCommand = buildCommand<ServerFlags, [string], CliContext>({
  docs: { brief: 'Freeze the plan of a release and start its rollout' },
  parameters: { positional: releaseParameter, flags: serverFlags },
  async func(flags, releaseId) {
    await withServer(this, flags, async (client) => {
      const started = await client.deliver.rollout.start({ releaseId })
      printResult(this, flags.json, started, [`${releaseId} rolls out. Watch it: bascule release watch ${releaseId}`])
    })
  },
})

export const releasePauseCommand = buildCommand<PauseFlags, [string], CliContext>({
  docs: { brief: 'Stop devices that have not begun to install' },
  parameters: { positional: releaseParameter, flags: { ...serverFlags, reason: { ...reasonFlag, optional: true } } },
  async func({ reason, ...flags }, releaseId) {
    await withServer(this, flags, async (client) => {
      const paused = await client.deliver.rollout.pause(reason === undefined ? { releaseId } : { releaseId, reason })
      printResult(this, flags.json, paused, [`${releaseId} is paused; devices in the middle of an install finish it.`])
    })
  },
})

export const releaseResumeCommand = buildCommand<ReasonFlags, [string], CliContext>({
  docs: { brief: 'Let a paused rollout go on' },
  parameters: { positional: releaseParameter, flags: { ...serverFlags, reason: reasonFlag } },
  async func({ reason, ...flags }, releaseId) {
    await withServer(this, flags, async (client) => {
      const resumed = await client.deliver.rollout.resume({ releaseId, reason })
      printResult(this, flags.json, resumed, [`${releaseId} goes on.`])
    })
  },
})
