import { setTimeout as pause } from 'node:timers/promises'
import { buildCommand } from '@stricli/core'
import { failWith, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { releaseParameter, serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { withServer, type ApiClient } from '#/lib/with-server.ts'
import { judgeRollout } from './judge-rollout.ts'
import { rolloutLines, type RolloutSeen } from './rollout-lines.ts'

interface WatchFlags extends ServerFlags {
  readonly timeoutSeconds: number
  readonly everySeconds: number
}

const seconds = (brief: string, preset: string) =>
  ({ kind: 'parsed', parse: parseSeconds, default: preset, brief }) as const

export const rolloutWatchCommand = buildCommand<WatchFlags, [string], CliContext>({
  docs: {
    brief: 'Wait for the end of a rollout and say how it went on',
    fullDescription:
      'Prints a line per phase, or with --json one document, whenever something changed. Exit code 0: verified. 4: a rule stopped it or it was taken back. 5: not over in time.',
  },
  parameters: {
    positional: releaseParameter,
    flags: {
      ...serverFlags,
      timeoutSeconds: seconds('How long to wait at most', '3600'),
      everySeconds: seconds('How often to look', '2'),
    },
  },
  async func(flags, releaseId) {
    await withServer(this, flags, (client) => watch(this, flags, client, releaseId))
  },
})

async function watch(context: CliContext, flags: WatchFlags, client: ApiClient, releaseId: string): Promise<void> {
  const giveUpAtMs = performance.now() + flags.timeoutSeconds * 1000
  let shown = ''
  for (;;) {
    const rollout = await client.deliver.rollout.get({ releaseId })
    const text = textOf(rollout, flags.json)
    if (text !== shown) context.process.stdout.write(text)
    shown = text
    const verdict = judgeRollout(rollout)
    if (verdict.kind === 'verified') return
    if (verdict.kind === 'stopped') {
      failWith(context, exitCodes.refused, flags.json, { kind: verdict.rule, problem: verdict.because })
      return
    }
    if (performance.now() > giveUpAtMs) {
      const problem = `${releaseId} is not over after ${flags.timeoutSeconds} seconds: ${rollout.next}`
      failWith(context, exitCodes.timeout, flags.json, { kind: 'timeout', problem })
      return
    }
    await pause(flags.everySeconds * 1000)
  }
}

function textOf(rollout: RolloutSeen, asJson: boolean): string {
  if (!asJson) return `${[...rolloutLines(rollout), rollout.next].join('\n')}\n`
  const { releaseId, state, whole, phases, next } = rollout
  const { size: audience, verified, failures, inFlight } = whole
  const lines = phases.map(({ order, name, state: phaseState, tally }) => ({
    order,
    name,
    state: phaseState,
    size: tally.size,
    verified: tally.verified,
    failures: tally.failures,
    inFlight: tally.inFlight,
  }))
  return `${JSON.stringify({ releaseId, state, audience, verified, failures, inFlight, phases: lines, next })}\n`
}

function parseSeconds(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0 || value > 31_536_000) throw new Error('is not a number of seconds')
  return value
}
