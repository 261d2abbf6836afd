import { releaseStates } from '@bascule/contract/plan/release.ts'
import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { tableLines } from '#/lib/table.ts'
import { withServer } from '#/lib/with-server.ts'

interface ListFlags extends ServerFlags {
  readonly state?: (typeof releaseStates)[number]
  readonly search?: string
  readonly after?: string
}

export const releaseListCommand = buildCommand<ListFlags, [], CliContext>({
  docs: { brief: 'List releases, newest first' },
  parameters: {
    flags: {
      ...serverFlags,
      state: { kind: 'enum', values: releaseStates, optional: true, brief: 'Only releases in this state' },
      search: { kind: 'parsed', parse: String, optional: true, brief: 'Only releases with these words' },
      after: { kind: 'parsed', parse: String, optional: true, brief: 'Go on after `next` of the page before' },
    },
  },
  async func({ state, search, after, ...flags }) {
    await withServer(this, flags, async (client) => {
      const filter = { ...(state && { state }), ...(search && { search }), ...(after && { after }) }
      const page = await client.plan.release.list({ limit: 100, ...filter })
      const rows = page.items.map(({ id, state: now, version, title, rollout }) => {
        const progress = rollout === null ? '' : `${rollout.verified} of ${rollout.audience} verified`
        return [id, now, version, title, progress]
      })
      const more = page.next === undefined ? [] : [`More with --after ${page.next}`]
      printResult(this, flags.json, page, rows.length === 0 ? ['There is no release.'] : [...tableLines(rows), ...more])
    })
  },
})
