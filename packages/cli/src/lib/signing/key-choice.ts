import { failWith, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import type { KeyPair } from '@bascule/trust/keys.ts'
import { keyIdOfLocked, unlockKey, type LockedKey } from './locked-key.ts'
import type { MemberHome } from './member-home.ts'
import { passphraseFlag, passphraseOf, type PassphraseFlags } from './passphrase.ts'

export interface KeyFlags extends PassphraseFlags {
  readonly key?: string
}

export const keyFlags = {
  ...passphraseFlag,
  key: {
    kind: 'parsed',
    parse: String,
    optional: true,
    brief: 'Which of your keys, by its label or the beginning of its id',
  },
} as const

/** Keys of this home that are meant: all, or those that `--key` names. */
export function keysMeant(home: MemberHome, { key }: Pick<KeyFlags, 'key'>): readonly LockedKey[] {
  const keys = home.keys()
  return key === undefined
    ? keys
    : keys.filter((one) => one.label === key || (key.length >= 6 && keyIdOfLocked(one).startsWith(key)))
}

/** The one key that is meant. Undefined after a sentence on stderr, with the exit code set. */
export function oneKeyMeant(context: CliContext, home: MemberHome, flags: KeyFlags): LockedKey | undefined {
  const keys = keysMeant(home, flags)
  const [only] = keys
  if (keys.length === 1 && only !== undefined) return only
  const problem =
    keys.length > 1
      ? `There are several keys in ${home.path}: ${keys.map(({ label }) => label).join(', ')}. Say which with --key.`
      : home.keys().length === 0
        ? `There is no key in ${home.path}. Make one: bascule key make`
        : `No key in ${home.path} is called ${flags.key}.`
  failWith(context, exitCodes.usage, flags.json, { kind: 'no-key', problem })
  return undefined
}

/** Opens keys with one passphrase for all of them, asked once. Undefined after a sentence, with the exit code set. */
export async function unlockKeys(
  context: CliContext,
  flags: KeyFlags,
  keys: readonly LockedKey[],
): Promise<readonly KeyPair[] | undefined> {
  const labels = keys.map(({ label }) => label).join(', ')
  const passphrase = await passphraseOf(context, flags, `Passphrase of ${labels}: `)
  if (passphrase === undefined) return undefined
  const pairs: KeyPair[] = []
  for (const key of keys) {
    const opened = await unlockKey(key, passphrase)
    if (opened.ok) {
      pairs.push(opened.value)
      continue
    }
    const problem =
      opened.error === 'damaged'
        ? `The file of the key ${key.label} is damaged.`
        : `This is not the passphrase of the key ${key.label}${keys.length > 1 ? '; choose one key with --key' : ''}.`
    failWith(context, exitCodes.refused, flags.json, { kind: opened.error, problem })
    return undefined
  }
  return pairs
}
