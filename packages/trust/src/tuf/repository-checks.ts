import type { Refusal } from '@bascule/domain/lib/result.ts'
import type { Envelope, TrustedKeys } from '#/envelope.ts'
import { snapshotRolesMax } from './documents.ts'
import { type RepositoryDraft, delegatedRoles, trustedKeysOf } from './repository-state.ts'

/** Ids of the keys that signed a document and count. */
export type SignersOf = (document: Envelope<unknown>, trusted: Pick<TrustedKeys, 'keys'>) => readonly string[]

/** What must hold of the repository as it would be after a publication, whoever asks. */
export const repositoryChecks = [
  { name: 'every-delegation-has-a-file', check: isComplete },
  { name: 'every-file-keeps-its-quorum', check: keepsQuorums },
  { name: 'snapshot-in-bounds', check: snapshotInBounds },
] as const satisfies readonly {
  name: string
  check: (next: RepositoryDraft, signersOf: SignersOf) => Refusal | undefined
}[]

function isComplete(next: RepositoryDraft): Refusal | undefined {
  const missing = delegatedRoles(next).find((role) => !Object.hasOwn(next.roles, role))
  if (missing === undefined) return undefined
  const fact = `The role ${missing} is delegated and has no file; devices would stop at it.`
  return no(
    'every-delegation-has-a-file',
    fact,
    'The members of the role',
    'Publish its first file together with the delegation.',
  )
}

/** A member who leaves takes a signature along; the others sign the next version first. */
function keepsQuorums(next: RepositoryDraft, signersOf: SignersOf): Refusal | undefined {
  for (const role of delegatedRoles(next)) {
    const trusted = trustedKeysOf(next, role)
    const document = next.roles[role]
    if (!trusted || !document) continue
    const have = signersOf(document, trusted).length
    if (have >= trusted.threshold) continue
    const fact = `${role} version ${document.signed.version} would be signed by ${have} of ${trusted.threshold} keys.`
    return no(
      'every-file-keeps-its-quorum',
      fact,
      'The remaining members of the role',
      `Let them sign version ${document.signed.version + 1} first and publish both together.`,
    )
  }
  return undefined
}

function snapshotInBounds(next: RepositoryDraft): Refusal | undefined {
  const count = Object.keys(next.roles).length
  if (count <= snapshotRolesMax) return undefined
  const fact = `The repository would have ${count} roles; devices read ${snapshotRolesMax} at most.`
  return no('snapshot-in-bounds', fact, 'The custodians', 'Make a repository of its own for a business unit.')
}

function no(rule: string, fact: string, lifter: string, next: string): Refusal {
  return { rule, fact, lifter, next }
}
