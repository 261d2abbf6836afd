import { failWith, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { askSecret, canAsk, readSecretFile } from './terminal.ts'

export interface PassphraseFlags {
  readonly passphraseFile?: string
  readonly json: boolean
}

export const passphraseFlag = {
  passphraseFile: {
    kind: 'parsed',
    parse: String,
    optional: true,
    brief: 'File with the passphrase of your key, or BASCULE_PASSPHRASE; without both you are asked',
  },
} as const

/** The passphrase of a key, without echo. Undefined after a sentence on stderr, with the exit code set. */
export async function passphraseOf(
  context: CliContext,
  flags: PassphraseFlags,
  question: string,
): Promise<string | undefined> {
  const fromEnvironment = context.process.env['BASCULE_PASSPHRASE']
  try {
    if (flags.passphraseFile !== undefined) return readSecretFile(flags.passphraseFile)
    if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    return fail(context, flags, `The passphrase cannot be read: ${why}`)
  }
  if (canAsk(context)) return await askSecret(context, question)
  return fail(context, flags, 'There is nobody to ask for the passphrase: use --passphrase-file or BASCULE_PASSPHRASE.')
}

/** A new passphrase, typed twice. Short ones are refused, because the file may be copied and guessed at anywhere. */
export async function newPassphraseOf(context: CliContext, flags: PassphraseFlags): Promise<string | undefined> {
  const isTyped = flags.passphraseFile === undefined && !context.process.env['BASCULE_PASSPHRASE'] && canAsk(context)
  const first = await passphraseOf(context, flags, 'A passphrase for the new key, 12 characters or more: ')
  if (first === undefined) return undefined
  if (Array.from(first).length < lengthMin) {
    return fail(context, flags, `A passphrase has ${lengthMin} characters or more; four or five words are good.`)
  }
  if (isTyped && (await askSecret(context, 'The same again: ')) !== first) {
    return fail(context, flags, 'The two are not the same. Nothing was written.')
  }
  return first
}

const lengthMin = 12

function fail(context: CliContext, flags: PassphraseFlags, problem: string): undefined {
  failWith(context, exitCodes.usage, flags.json, { kind: 'no-passphrase', problem })
}
