import { canonicalJson } from '#/canonical.ts'
import type { Envelope } from '#/envelope.ts'
import { signersOf } from './attach-signature.ts'
import { type PublishRefusal, type SoundnessCase, soundnessChecks } from './document-soundness.ts'
import type { ReleasesSigned, RoleSigned, RootSigned } from './documents.ts'
import { type RepositoryDraft, releasesOf, rootKeysOf, trustedKeysOf } from './repository-state.ts'

export { type PublishRefusal, formChecks } from './document-soundness.ts'

/** One document that somebody wants published, what it replaces, and the repository as it would be afterwards. */
export interface DocumentCase extends SoundnessCase {
  readonly before: Envelope<RoleSigned | RootSigned> | undefined
  readonly repository: RepositoryDraft
  readonly next: RepositoryDraft
}

/** What the signer asks about each document before it publishes, in this order. Each is one function and one rule. */
export const documentChecks = [
  { name: 'version-is-the-next', check: versionIsNext },
  { name: 'role-is-delegated', check: isDelegated },
  { name: 'quorum-signed', check: quorumSigned },
  ...soundnessChecks,
  { name: 'bytes-never-replaced', check: bytesNeverReplaced },
  { name: 'counter-rises', check: counterRises },
] as const satisfies readonly { name: string; check: (document: DocumentCase) => PublishRefusal | undefined }[]

function versionIsNext({ role, document, before }: DocumentCase): PublishRefusal | undefined {
  const [had, has] = [before?.signed.version ?? 0, document.signed.version]
  if (has === had + 1) return undefined
  const isChange =
    before !== undefined && has === had && canonicalJson(before.signed) !== canonicalJson(document.signed)
  const fact = isChange
    ? `Version ${has} of ${role} is published with another content.`
    : `Version ${has} of ${role} was offered; the next one is ${had + 1}.`
  return no(
    'version-is-the-next',
    fact,
    'Nobody: relays keep every version for ever',
    `Make the draft again as version ${had + 1}.`,
  )
}

function isDelegated({ role, next }: DocumentCase): PublishRefusal | undefined {
  if (trustedKeysOf(next, role)) return undefined
  const fact = `No document delegates the role ${role}.`
  return no('role-is-delegated', fact, 'The governance quorum of the board', 'Add the role to the board first.')
}

/** A new root needs the quorum of the old one as well; else whoever holds new keys could make themselves the root. */
function quorumSigned({ role, document, repository, next }: DocumentCase): PublishRefusal | undefined {
  const now = trustedKeysOf(next, role)
  const then = role === 'root' && repository.root ? rootKeysOf(repository.root.signed, 'root') : undefined
  for (const trusted of [then, now]) {
    if (!trusted) continue
    const have = signersOf(document, trusted).length
    if (have >= trusted.threshold) continue
    const fact = `${role} is signed by ${have} of ${trusted.threshold} keys.`
    return no('quorum-signed', fact, 'The members of the role', `Collect ${trusted.threshold - have} more.`)
  }
  return undefined
}

/** What stands behind a path never changes: else a device that fetched the old bytes would call them forged. */
function bytesNeverReplaced({ role, document, before }: DocumentCase): PublishRefusal | undefined {
  if (!before || !('targets' in document.signed) || !('targets' in before.signed)) return undefined
  const old = before.signed.targets as ReleasesSigned['targets']
  for (const [path, { hashes }] of Object.entries(document.signed.targets as ReleasesSigned['targets'])) {
    const had = Object.hasOwn(old, path) ? old[path] : undefined
    if (!had || had.hashes.sha256 === hashes.sha256) continue
    const fact = `${path} of ${role} had other bytes in version ${before.signed.version}.`
    return no('bytes-never-replaced', fact, 'Nobody', 'Make a new release; a release never changes.')
  }
  return undefined
}

/** A counter belongs to one manifest for ever. The same manifest may stand in two roles: that is ratifying. */
function counterRises({ role, document, repository }: DocumentCase): PublishRefusal | undefined {
  if (document.signed._type !== 'targets') return undefined
  const known = releasesOf(repository.roles)
  const taken = new Map<string, string>()
  for (const { at, path, target } of releasesOf({ [role]: { ...document, signed: document.signed } })) {
    const line = `${at.board}/${at.line}`
    const isKnown = known.some(
      (one) =>
        one.target.hashes.sha256 === target.hashes.sha256 &&
        `${one.at.board}/${one.at.line}` === line &&
        one.target.custom.counter === target.custom.counter,
    )
    const isTaken = taken.has(`${line}/${target.custom.counter}`)
    taken.set(`${line}/${target.custom.counter}`, path)
    const highest = repository.counters[line] ?? 0
    if (!isTaken && (isKnown || target.custom.counter > highest)) continue
    const fact = `${path} has counter ${target.custom.counter}; the highest of ${line} is ${highest}.`
    return no('counter-rises', fact, 'Nobody: a counter is used once', `Give the release the counter ${highest + 1}.`)
  }
  return undefined
}

function no(rule: string, fact: string, lifter: string, next: string): PublishRefusal {
  return { rule, fact, lifter, next }
}
