import { randomBytes } from 'node:crypto'
import { buildCommand } from '@stricli/core'
import { failWith, printResult, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { jsonFlag } from '#/lib/server-flags.ts'
import { keyIdOfLocked, lockKey } from '#/lib/signing/locked-key.ts'
import { openMemberHome } from '#/lib/signing/member-home.ts'
import { paperLines, seedFromPaper } from '#/lib/signing/paper-key.ts'
import { newPassphraseOf, passphraseFlag, type PassphraseFlags } from '#/lib/signing/passphrase.ts'
import { ask, canAsk, readPiped } from '#/lib/signing/terminal.ts'
import { keyPairFromSeed } from '@bascule/trust/keys.ts'

interface MakeFlags extends PassphraseFlags {
  readonly label: string
  readonly fromPaper: boolean
}

export const keyMakeCommand = buildCommand<MakeFlags, [], CliContext>({
  docs: {
    brief: 'Make a key of your own, closed with a passphrase',
    fullDescription:
      'The key never leaves this machine; boards and custodians take its public part. With --from-paper a recovery key is typed in again from its sheet.',
  },
  parameters: {
    flags: {
      ...passphraseFlag,
      label: { kind: 'parsed', parse: parseLabel, default: 'my-key', brief: 'What you call it' },
      fromPaper: { kind: 'boolean', default: false, brief: 'Type a paper key in again instead of making a new one' },
      json: jsonFlag,
    },
  },
  async func(flags) {
    const seed = flags.fromPaper ? await typedSeed(this, flags) : randomBytes(32)
    if (seed === undefined) return
    const passphrase = await newPassphraseOf(this, flags)
    if (passphrase === undefined) return
    const locked = await lockKey(seed, { label: flags.label, passphrase })
    try {
      const file = openMemberHome(this.process.env).addKey(locked)
      const keyId = keyIdOfLocked(locked)
      printResult(this, flags.json, { file, keyId, publicKey: locked.publicKey, label: flags.label }, [
        `Key ${flags.label} lies in ${file}. Without the passphrase nobody can use it, you neither.`,
        `Public key ${locked.publicKey}`,
        `Key id ${keyId}`,
      ])
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : String(cause)
      failWith(this, exitCodes.refused, flags.json, { kind: 'not-written', problem })
    }
  },
})

export const keyPaperCommand = buildCommand<{ readonly json: boolean }, [], CliContext>({
  docs: {
    brief: 'Make a key that exists on paper only, and print it once',
    fullDescription: 'For a recovery key. It is kept nowhere: what is not on paper when the screen is cleared is gone.',
  },
  parameters: { flags: { json: jsonFlag } },
  func({ json }) {
    const seed = randomBytes(32)
    const { publicKey, keyId } = keyPairFromSeed(seed)
    const lines = paperLines(seed)
    printResult(this, json, { publicKey, keyId, lines }, [...lines, '', `Public key ${publicKey}`, `Key id ${keyId}`])
  },
})

async function typedSeed(context: CliContext, flags: MakeFlags): Promise<Uint8Array | undefined> {
  const seed = seedFromPaper(canAsk(context) ? await fourLines(context) : await readPiped(context))
  if (seed.ok) return seed.value
  failWith(context, exitCodes.refused, flags.json, { kind: 'paper-key', problem: seed.error })
  return undefined
}

async function fourLines(context: CliContext): Promise<string> {
  const lines: string[] = []
  for (const number of [1, 2, 3, 4]) lines.push(await ask(context, `Line ${number}: `))
  return lines.join('\n')
}

function parseLabel(text: string): string {
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,59}$/u.test(text)) throw new Error('is not a short name')
  return text
}
