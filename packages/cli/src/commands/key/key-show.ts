import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { jsonFlag } from '#/lib/server-flags.ts'
import { keyIdOfLocked } from '#/lib/signing/locked-key.ts'
import { openMemberHome } from '#/lib/signing/member-home.ts'

export const keyShowCommand = buildCommand<{ readonly json: boolean }, [], CliContext>({
  docs: { brief: 'Show the public part of your keys; needs no passphrase' },
  parameters: { flags: { json: jsonFlag } },
  func({ json }) {
    const home = openMemberHome(this.process.env)
    const items = home.keys().map((key) => ({
      label: key.label,
      keyId: keyIdOfLocked(key),
      publicKey: key.publicKey,
    }))
    const sentences = items.flatMap(({ label, keyId, publicKey }) => [
      label,
      `  Key id     ${keyId}`,
      `  Public key ${publicKey}`,
    ])
    const none = `There is no key in ${home.path}. Make one: bascule key make`
    printResult(this, json, { home: home.path, items }, sentences.length === 0 ? [none] : sentences)
  },
})
