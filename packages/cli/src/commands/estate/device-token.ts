import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { withServer } from '#/lib/with-server.ts'

interface TokenFlags extends ServerFlags {
  readonly label: string
  readonly site?: string
  readonly orgUnit?: string
  readonly role?: readonly string[]
  readonly uses: number
  readonly validHours: number
  readonly approve: boolean
}

const word = { kind: 'parsed', parse: String } as const

export const deviceTokenCommand = buildCommand<TokenFlags, [], CliContext>({
  docs: { brief: 'Make a token that lets devices enrol; it is shown only now' },
  parameters: {
    flags: {
      ...serverFlags,
      label: { ...word, default: '', brief: 'What it is for' },
      site: { ...word, optional: true, brief: 'Code of the site that the devices get' },
      orgUnit: { ...word, optional: true, brief: 'Code of the org unit that the devices get' },
      role: { ...word, optional: true, variadic: true, brief: 'Role that the devices get; may be repeated' },
      uses: { kind: 'parsed', parse: Number, default: '1', brief: 'How many devices it lets in' },
      validHours: { kind: 'parsed', parse: Number, default: '24', brief: 'How long it is good' },
      approve: { kind: 'boolean', default: false, brief: 'Approve the devices by themselves' },
    },
  },
  async func({ label, site, orgUnit, role, uses, validHours, approve, ...flags }) {
    await withServer(this, flags, async (client) => {
      const made = await client.estate.enrolmentToken.create({
        label,
        ...(site && { site }),
        ...(orgUnit && { orgUnit }),
        roles: [...(role ?? [])],
        usesMax: uses,
        validHours,
        autoApprove: approve,
      })
      printResult(this, flags.json, made, [made.token])
    })
  },
})
