import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { withServer } from '#/lib/with-server.ts'

interface RevokeFlags extends ServerFlags {
  readonly reason: string
}

const queryParameter = {
  kind: 'tuple',
  parameters: [
    { brief: 'Which devices: a query such as name:till-3 or id:<key id>', placeholder: 'query', parse: parseQuery },
  ],
} as const

export const deviceApproveCommand = buildCommand<ServerFlags, [string], CliContext>({
  docs: { brief: 'Approve the devices of a query that wait for it' },
  parameters: { positional: queryParameter, flags: serverFlags },
  async func(flags, query) {
    await withServer(this, flags, async (client) => {
      const done = await client.estate.device.approve({ devices: { query } })
      printResult(this, flags.json, done, [`Approved ${done.changed}; ${done.unchanged} needed nothing.`])
    })
  },
})

export const deviceRevokeCommand = buildCommand<RevokeFlags, [string], CliContext>({
  docs: { brief: 'Shut the devices of a query out for good' },
  parameters: {
    positional: queryParameter,
    flags: { ...serverFlags, reason: { kind: 'parsed', parse: String, brief: 'Why; it goes into the record' } },
  },
  async func({ reason, ...flags }, query) {
    await withServer(this, flags, async (client) => {
      const done = await client.estate.device.changeState({ devices: { query }, action: 'revoke', reason })
      printResult(this, flags.json, done, [`Revoked ${done.changed}; ${done.unchanged} were left alone.`])
    })
  },
})

/** An empty query means the whole fleet; for that a person has to say `state:active` or the like. */
function parseQuery(text: string): string {
  if (text.trim() === '') throw new Error('is empty; an empty query would be every device')
  return text
}
