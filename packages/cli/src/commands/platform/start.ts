import { buildCommand } from '@stricli/core'
import type { CliContext } from '#/lib/context.ts'
import { runServerProgram } from '#/lib/run-program.ts'
import { dataFlag, portFlag, serverArguments } from './installation-flags.ts'
import type { InstallationFlags } from './installation-flags.ts'

export const startCommand = buildCommand<InstallationFlags, [], CliContext>({
  docs: {
    brief: 'Start the server here, until Ctrl-C',
    fullDescription: 'All other settings come from the environment; see docs/operate/configuration.md.',
  },
  parameters: { flags: { data: dataFlag, port: portFlag } },
  async func(flags) {
    await runServerProgram(this, 'main', serverArguments(flags))
  },
})
