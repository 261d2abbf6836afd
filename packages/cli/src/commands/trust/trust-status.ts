import { delegatorOf, trustedKeysOf, type RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import { signersOf } from '@bascule/trust/tuf/attach-signature.ts'
import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { knownKeysOf } from '#/lib/signing/named-key.ts'
import type { OwnView } from '#/lib/signing/own-view.ts'
import { ownViewOf } from '#/lib/signing/review-draft-of-server.ts'
import { rootFlag, sayAnchor, type RootFlags } from '#/lib/signing/root-flag.ts'
import { type Member, withMember } from '#/lib/signing/with-member.ts'
import { fingerprintText } from './ceremony-sheet.ts'
import { dueWithin, nameById } from './trust-change.ts'

export const trustStatusCommand = buildCommand<ServerFlags & RootFlags, [], CliContext>({
  docs: {
    brief: 'Verify everything yourself and show who decides what, and until when',
    fullDescription: 'All but the names comes from signed files that this machine has verified from its own anchor on.',
  },
  parameters: { flags: { ...serverFlags, ...rootFlag } },
  async func({ rootSha256, ...flags }) {
    await withMember(this, flags, async (member) => {
      const view = await ownViewOf(member, rootSha256)
      sayAnchor(this, view)
      if (view === undefined) {
        const none =
          'There is no root yet, so no device installs anything. Hold the first ceremony: bascule trust init.'
        printResult(this, flags.json, { isSetUp: false }, [none])
        return
      }
      const names = await namesFor(member)
      const roles = rolesIn(view.repository, names)
      const due = dueWithin(view.repository, 60, Temporal.Now.instant())
      const result = {
        isSetUp: true,
        root: view.anchor,
        rootVersion: view.rootVersion,
        roles,
        failures: view.failures,
        due,
      }
      printResult(this, flags.json, result, statusLines(view, roles, due))
    })
  },
})

interface RoleSeen {
  readonly role: string
  readonly version: number
  readonly expiresAt: string
  readonly threshold: number
  readonly members: readonly { readonly keyId: string; readonly name: string; readonly hasSigned: boolean }[]
}

/** Names are the server's. Without the right to see them, the keys are enough. */
async function namesFor(member: Member): Promise<Map<string, string>> {
  try {
    return nameById(await knownKeysOf(member))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    member.context.process.stderr.write(`No names for the keys: ${why}\n`)
    return new Map()
  }
}

function rolesIn(repository: RepositoryDraft, names: ReadonlyMap<string, string>): RoleSeen[] {
  const documents = { ...(repository.root ? { root: repository.root } : {}), ...repository.roles }
  return Object.entries(documents).flatMap(([role, document]) => {
    const trusted = trustedKeysOf(repository, role)
    if (trusted === undefined || delegatorOf(role) === undefined) return []
    const signers = signersOf(document, trusted)
    const { version, expires } = document.signed
    const members = Object.keys(trusted.keys).map((keyId) => ({
      keyId,
      name: names.get(keyId) ?? 'somebody',
      hasSigned: signers.includes(keyId),
    }))
    return [{ role, version, expiresAt: expires, threshold: trusted.threshold, members }]
  })
}

function statusLines({ anchor, failures }: OwnView, roles: readonly RoleSeen[], due: readonly string[]): string[] {
  return [
    `Root fingerprint ${fingerprintText(anchor.sha256)}`,
    anchor.isFromFingerprint
      ? 'It is the one that you were given, or whose ceremony you signed.'
      : 'It was trusted on first use: compare it with the ceremony sheet.',
    ...roles.flatMap(({ role, version, expiresAt, threshold, members }) => [
      `${role} version ${version}, until ${expiresAt.slice(0, 10)}: ${threshold} of ${members.length}${threshold === 1 ? ', one person alone' : ''}`,
      ...members.map(
        ({ name, keyId, hasSigned }) =>
          `  ${name} (key ${keyId.slice(0, 12)})${hasSigned ? ', signed this version' : ''}`,
      ),
    ]),
    ...Object.entries(failures).map(([role, { fact }]) => `${role} cannot be verified: ${fact}`),
    ...(due.length === 0 ? [] : [`To be renewed soon: ${due.join(', ')}. bascule trust renew`]),
  ]
}
