import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { releaseParameter, serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { withMember } from '#/lib/signing/with-member.ts'

interface AskFlags extends ServerFlags {
  readonly emergency: boolean
  readonly reason?: string
}

export const askBoardCommand = buildCommand<AskFlags, [string], CliContext>({
  docs: {
    brief: 'Freeze the plan of a release and ask its board for a Go',
    fullDescription:
      'From now on packages, devices and limits are fixed. A no-go, a deferral or a question taken back frees the plan again.',
  },
  parameters: {
    positional: releaseParameter,
    flags: {
      ...serverFlags,
      emergency: {
        kind: 'boolean',
        default: false,
        brief: 'Ask the small emergency quorum; its Go lapses after 14 days',
      },
      reason: { kind: 'parsed', parse: String, optional: true, brief: 'Why; an emergency needs one' },
    },
  },
  async func({ emergency, reason, ...flags }, releaseId) {
    await withMember(this, flags, async ({ client }) => {
      const path = emergency ? 'emergency' : 'normal'
      const asked = await client.decide.case.ask({ releaseId, path, ...(reason === undefined ? {} : { reason }) })
      const { board, threshold } = await client.decide.case.get(asked)
      const signatures = threshold === 1 ? 'one signature' : `${threshold} signatures`
      printResult(this, flags.json, asked, [
        `${asked.caseId} asks ${board} about ${releaseId}; a Go needs ${signatures}.`,
        `Members sign with: bascule sign ${asked.caseId}`,
      ])
    })
  },
})
