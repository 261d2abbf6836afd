import { buildCommand } from '@stricli/core'
import type { CliContext } from '#/lib/context.ts'
import { runServerProgram } from '#/lib/run-program.ts'

const folder = { kind: 'parsed', parse: String } as const

export const backupCommand = buildCommand<{ readonly data: string; readonly to: string }, [], CliContext>({
  docs: {
    brief: 'Save everything of an installation, also while it runs',
    fullDescription:
      'Prints one JSON line when the backup is complete. The backup holds keys and is as secret as the data folder.',
  },
  parameters: {
    flags: {
      data: { ...folder, brief: 'Data folder to save' },
      to: { ...folder, brief: 'New folder for the backup' },
    },
  },
  async func({ data, to }) {
    await runServerProgram(this, 'backup', ['backup', '--data', data, '--to', to])
  },
})

export const restoreCommand = buildCommand<{ readonly from: string; readonly data: string }, [], CliContext>({
  docs: {
    brief: 'Make a new data folder from a backup',
    fullDescription: 'Checks everything first, never overwrites, and starts the database once to see that it does.',
  },
  parameters: {
    flags: {
      from: { ...folder, brief: 'Folder of the backup' },
      data: { ...folder, brief: 'New or empty data folder' },
    },
  },
  async func({ from, data }) {
    await runServerProgram(this, 'backup', ['restore', '--from', from, '--data', data])
  },
})
