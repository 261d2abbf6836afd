import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { withMember } from '#/lib/signing/with-member.ts'
import { tableLines } from '#/lib/table.ts'
import type { ApiClient } from '#/lib/with-server.ts'
import { caseParameter } from './case-parameter.ts'

export const caseShowCommand = buildCommand<ServerFlags, [string], CliContext>({
  docs: {
    brief: 'Show a case as the server tells it: what is asked, who said what, what is not met',
    fullDescription: 'This is the word of the server. What you would sign is shown by bascule sign, which verifies it.',
  },
  parameters: { positional: caseParameter, flags: serverFlags },
  async func(flags, caseId) {
    await withMember(this, flags, async ({ client }) => {
      const found = await client.decide.case.get({ caseId })
      printResult(this, flags.json, found, caseLines(found))
    })
  },
})

export type CaseSeen = Awaited<ReturnType<ApiClient['decide']['case']['get']>>

export function caseLines(seen: CaseSeen): string[] {
  const { id, kind, state, releaseId, title, version, board, signatures, threshold, role } = seen
  const votes = seen.votes.map(({ name, said, reason, untilOn }) => [
    `  ${name}`,
    untilOn === null ? said : `${said} until ${untilOn}`,
    reason ?? '',
  ])
  return [
    `${id} ${kind} of ${releaseId} ${title} ${version}: ${state}`,
    `Asked by ${seen.askedBy}, decided by ${board} (${role}): ${signatures} of ${threshold} signatures`,
    ...(seen.reason === null ? [] : [`Because: ${seen.reason}`]),
    ...seen.asks,
    ...seen.phases.map(({ order, name, devices }) => `Phase ${order} ${name}: ${devices} devices`),
    ...seen.notMet.map(({ fact }) => `Not met: ${fact}`),
    ...(votes.length === 0 ? [] : ['Votes:', ...tableLines(votes)]),
    ...seen.devicesMayNow,
  ]
}
