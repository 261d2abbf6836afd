import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { keyFlags, oneKeyMeant, unlockKeys, type KeyFlags } from '#/lib/signing/key-choice.ts'
import type { LockedKey } from '#/lib/signing/locked-key.ts'
import { type Member, withMember } from '#/lib/signing/with-member.ts'
import { signHex, type KeyPair } from '@bascule/trust/keys.ts'

export const keyRegisterCommand = buildCommand<ServerFlags & KeyFlags, [], CliContext>({
  docs: {
    brief: 'Tell the server that a key is yours, so that boards can take it',
    fullDescription:
      'Sends the public part and a signature that proves you hold the key. It counts for nothing until a board takes it: bascule trust join.',
  },
  parameters: { flags: { ...serverFlags, ...keyFlags } },
  async func(flags) {
    await withMember(this, flags, async (member) => {
      const locked = oneKeyMeant(this, member.home, flags)
      if (locked === undefined) return
      const [pair] = (await unlockKeys(this, flags, [locked])) ?? []
      if (pair === undefined) return
      const registered = await registerKey(member, locked, pair)
      printResult(this, flags.json, registered, [
        `The server knows the key ${locked.label} as ${registered.personName ?? 'somebody'}'s. Key id ${registered.keyId}`,
        'It counts for nothing until a board takes it.',
      ])
    })
  },
})

/** Registers a key of this tool with the proof that whoever registers it holds it. */
export async function registerKey({ client }: Member, { label, publicKey }: LockedKey, pair: KeyPair) {
  const level = 3
  const proof = signHex(pair, `bascule-member-key-v1\n${publicKey}\n${level}\n${label}`)
  return await client.decide.memberKey.register({ publicKey, level, label, proof })
}
