import { caseStates } from '@bascule/domain/decide/case.ts'
import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { withMember } from '#/lib/signing/with-member.ts'
import { tableLines } from '#/lib/table.ts'

interface ListFlags extends ServerFlags {
  readonly state?: (typeof caseStates)[number]
  readonly release?: string
}

export const caseListCommand = buildCommand<ListFlags, [], CliContext>({
  docs: { brief: 'List the questions to the boards, newest first' },
  parameters: {
    flags: {
      ...serverFlags,
      state: { kind: 'enum', values: caseStates, optional: true, brief: 'Only cases in this state' },
      release: { kind: 'parsed', parse: String, optional: true, brief: 'Only cases about this release' },
    },
  },
  async func({ state, release, ...flags }) {
    await withMember(this, flags, async ({ client }) => {
      const found = await client.decide.case.list({ ...(state && { state }), ...(release && { releaseId: release }) })
      const rows = found.items.map(({ id, kind, releaseId, title, signatures, threshold, state: now }) => [
        id,
        kind,
        `${releaseId} ${title}`,
        `${signatures} of ${threshold} signatures`,
        now,
      ])
      printResult(this, flags.json, found, rows.length === 0 ? ['There is no case.'] : tableLines(rows))
    })
  },
})
