import { buildCommand } from '@stricli/core'
import type { CliContext } from '#/lib/context.ts'
import { runServerProgram } from '#/lib/run-program.ts'
import { jsonFlag } from '#/lib/server-flags.ts'
import { dataFlag, portFlag, serverArguments } from './installation-flags.ts'
import type { InstallationFlags } from './installation-flags.ts'

interface DoctorFlags extends InstallationFlags {
  readonly json: boolean
}

export const doctorCommand = buildCommand<DoctorFlags, [], CliContext>({
  docs: {
    brief: 'Look at everything a server here needs',
    fullDescription:
      'Reads the same settings as the server, changes nothing, and says what is well and what to do next. Exit code 1 when something would keep the server from its work.',
  },
  parameters: { flags: { data: dataFlag, port: portFlag, json: jsonFlag } },
  async func(flags) {
    await runServerProgram(this, 'doctor', [...serverArguments(flags), ...(flags.json ? ['--json'] : [])])
  },
})
