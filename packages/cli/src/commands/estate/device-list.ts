import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { tableLines } from '#/lib/table.ts'
import { withServer } from '#/lib/with-server.ts'

interface ListFlags extends ServerFlags {
  readonly query: string
  readonly after?: string
}

export const deviceListCommand = buildCommand<ListFlags, [], CliContext>({
  docs: { brief: 'List devices that match a query' },
  parameters: {
    flags: {
      ...serverFlags,
      query: { kind: 'parsed', parse: String, default: '', brief: 'For example: os:linux site:leeds state:pending' },
      after: { kind: 'parsed', parse: String, optional: true, brief: 'Go on after `next` of the page before' },
    },
  },
  async func({ query, after, ...flags }) {
    await withServer(this, flags, async (client) => {
      const page = await client.estate.device.list({ query, limit: 500, ...(after && { after }) })
      const rows = page.items.map((row) => [
        row.name,
        row.state,
        row.site ?? '-',
        row.os,
        row.lastSeenAt ?? 'never seen',
        row.id.slice(0, 12),
      ])
      const more = page.next === undefined ? [] : [`More with --after ${page.next}`]
      printResult(this, flags.json, page, rows.length === 0 ? ['No device matches.'] : [...tableLines(rows), ...more])
    })
  },
})
