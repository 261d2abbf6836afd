import { failWith, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { ask, canAsk } from './terminal.ts'

export interface ConsentFlags {
  readonly yes: boolean
  readonly json: boolean
}

export const consentFlag = {
  yes: { kind: 'boolean', default: false, brief: 'Agree without being asked; for scripts' },
} as const

/** Whether the person wants it: only a whole "yes" is one. False after a sentence, with the exit code set. */
export async function agreed(context: CliContext, flags: ConsentFlags, question: string): Promise<boolean> {
  if (flags.yes) return true
  if (!canAsk(context)) {
    const problem = 'There is nobody to ask. Nothing was signed; say --yes to agree without being asked.'
    failWith(context, exitCodes.usage, flags.json, { kind: 'nobody-to-ask', problem })
    return false
  }
  if ((await ask(context, `${question} Type yes: `)).toLowerCase() === 'yes') return true
  failWith(context, exitCodes.refused, flags.json, { kind: 'not-agreed', problem: 'Nothing was signed.' })
  return false
}
