import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { keyFlags, oneKeyMeant, unlockKeys, type KeyFlags } from '#/lib/signing/key-choice.ts'
import { withMember } from '#/lib/signing/with-member.ts'
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
      const own = { publicKey: locked.publicKey, level: 3, label: locked.label }
      const proof = registrationProof(own, pair)
      const registered = await member.client.decide.memberKey.register({ ...own, proof })
      printResult(this, flags.json, registered, [
        `The server knows the key ${locked.label} as ${registered.personName ?? 'somebody'}'s. Key id ${registered.keyId}`,
        'It counts for nothing until a board takes it.',
      ])
    })
  },
})

/** What shows that whoever registers a key holds it. */
export function registrationProof(
  { publicKey, level, label }: { readonly publicKey: string; readonly level: number; readonly label: string },
  pair: KeyPair,
): string {
  return signHex(pair, `bascule-member-key-v1\n${publicKey}\n${level}\n${label}`)
}
