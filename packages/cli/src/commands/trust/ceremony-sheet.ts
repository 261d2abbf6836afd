import type { NamedKey } from '#/lib/signing/named-key.ts'
import { keyIdOf } from '@bascule/trust/keys.ts'
import type { CeremonyPlan } from '#/lib/signing/governance.ts'

/** A fingerprint as people read it aloud: 64 characters in groups of eight. */
export function fingerprintText(sha256: string): string {
  return (sha256.match(/.{8}/g) ?? []).join(' ')
}

/** The sheet that everybody keeps who was there: what was founded, and the fingerprint that devices are given. */
export function ceremonySheet(input: {
  readonly server: string
  readonly plan: CeremonyPlan
  readonly custodians: readonly NamedKey[]
  readonly members: readonly NamedKey[]
  readonly at: Temporal.Instant
  /** Undefined until the root is published: it is the hash of the file with all its signatures. */
  readonly rootSha256: string | undefined
}): string[] {
  const { plan, custodians, members, rootSha256 } = input
  const listed = (keys: readonly NamedKey[]): string[] =>
    keys.map(({ name, publicKey, level }) => {
      const kept = level === undefined ? 'level not said' : `level ${level}`
      return `  ${name}, key ${keyIdOf(publicKey).slice(0, 16)}, ${kept}`
    })
  return [
    'CEREMONY SHEET — print it, and keep it where the server is not',
    `Server   ${input.server}`,
    `Held at  ${input.at.toString({ smallestUnit: 'second' })}`,
    rootSha256 === undefined
      ? 'Root     not published yet; bascule trust status shows its fingerprint when everybody has signed'
      : `Root     ${fingerprintText(rootSha256)}`,
    `Custodians, ${plan.threshold} of ${custodians.length} sign:`,
    ...listed(custodians),
    `Board ${plan.board}, ${plan.quorum} of ${members.length} decide, emergencies ${plan.emergencyQuorum}, any one stops:`,
    ...listed(members),
    ...(plan.quorum === 1
      ? ['  One person alone decides here; this board is shown everywhere as a board of one.']
      : []),
    `Product lines: ${plan.lines.length === 0 ? 'none yet; add them with bascule trust add-line' : plan.lines.join(', ')}`,
  ]
}

/** The paper key, with what to do with it. It is printed once and kept nowhere. */
export function paperSheet(lines: readonly string[], keyId: string): string[] {
  return [
    'RECOVERY KEY ON PAPER — print or write it now; it is shown once and kept nowhere',
    ...lines.map((line) => `  ${line}`),
    `  Key id ${keyId.slice(0, 16)}. Whoever has this paper can decide like you: keep it in a safe.`,
    '  To use it: bascule key make --from-paper',
  ]
}
