import { buildCommand } from '@stricli/core'
import { failWith, printResult, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { releaseParameter, serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { withServer, type ApiClient } from '#/lib/with-server.ts'

interface BackOutFlags extends ServerFlags {
  readonly reason: string
  readonly phase?: number
  readonly confirm?: string
}

export const releaseBackOutCommand = buildCommand<BackOutFlags, [string], CliContext>({
  docs: {
    brief: 'Take a release, or one phase of it, back from its devices',
    fullDescription:
      'Without --confirm nothing happens: it says what the back-out would hit and ends with exit code 4. With the title of the release after --confirm it goes back.',
  },
  parameters: {
    positional: releaseParameter,
    flags: {
      ...serverFlags,
      reason: { kind: 'parsed', parse: String, brief: 'Why; it goes into the record' },
      phase: { kind: 'parsed', parse: parsePhase, optional: true, brief: 'Only this phase, by its number' },
      confirm: { kind: 'parsed', parse: String, optional: true, brief: 'The title of the release, typed again' },
    },
  },
  async func({ reason, phase, confirm, ...flags }, releaseId) {
    await withServer(this, flags, async (client) => {
      const what = phase === undefined ? { releaseId } : { releaseId, phase }
      if (confirm === undefined) {
        await sayWhatItWouldHit(this, flags.json, client, what)
        return
      }
      const asked = await client.deliver.rollout.backOut({ ...what, reason, confirm })
      const which = phase === undefined ? releaseId : `Phase ${phase} of ${releaseId}`
      printResult(this, flags.json, asked, [`${which} goes back; each device is told when it checks in.`])
    })
  },
})

async function sayWhatItWouldHit(
  context: CliContext,
  asJson: boolean,
  client: ApiClient,
  what: { releaseId: string; phase?: number },
): Promise<void> {
  const [preview, release] = await Promise.all([
    client.deliver.rollout.previewBackOut(what),
    client.plan.release.get({ releaseId: what.releaseId }),
  ])
  const repeat = `Nothing was done. To do it, repeat with --confirm "${release.title}".`
  if (!asJson) context.process.stdout.write(`${preview.consequences.join('\n')}\n`)
  const error = { kind: 'not-confirmed', problem: repeat, preview }
  failWith(context, exitCodes.refused, asJson, error)
}

function parsePhase(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new Error('is not the number of a phase')
  return Number(text)
}
