import type { CliContext } from '#/lib/context.ts'
import type { OwnView } from './own-view.ts'

export interface RootFlags {
  readonly rootSha256?: string
}

export const rootFlag = {
  rootSha256: {
    kind: 'parsed',
    parse: parseFingerprint,
    optional: true,
    brief: 'Fingerprint of the root, from the ceremony sheet; wanted at the first contact with a server',
  },
} as const

/** Says it loudly when a root was believed that nobody vouched for. Said once, at the first contact. */
export function sayAnchor({ process }: CliContext, view: OwnView | undefined): void {
  if (!view?.anchor.isNew) return
  if (view.anchor.isFromFingerprint) {
    process.stderr.write('The root of this server has the fingerprint that you were given.\n')
    return
  }
  process.stderr.write(
    [
      'TRUST ON FIRST USE: this machine did not know this server, and nobody said which root is the right one.',
      `  Fingerprint of the root that it showed: ${view.anchor.sha256}`,
      '  Compare it with the ceremony sheet before you sign. With --root-sha256 it is checked for you.',
      '',
    ].join('\n'),
  )
}

/** Groups and capitals do not matter: people read it from paper. */
function parseFingerprint(text: string): string {
  const hex = text.toLowerCase().replaceAll(/[\s:-]/g, '')
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new Error('is not a fingerprint of 64 characters')
  return hex
}
