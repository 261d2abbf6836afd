import type { Refusal, Result } from '@bascule/domain/lib/result.ts'
import { renewalsDue } from '@bascule/trust/tuf/lifetimes.ts'
import { keyIdOf } from '@bascule/trust/keys.ts'
import { roleNameFrom } from '@bascule/trust/tuf/names.ts'
import { delegationsOf, type RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import { failWith, printResult, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { consentFlag, type ConsentFlags } from '#/lib/signing/consent.ts'
import type { Change } from '#/lib/signing/governance.ts'
import { keyFlags, keysMeant, type KeyFlags } from '#/lib/signing/key-choice.ts'
import { type KnownKeys, knownKeysOf, namedKeyFrom, type NamedKey } from '#/lib/signing/named-key.ts'
import { proposeChange } from '#/lib/signing/propose-change.ts'
import { outcomeWords, untilPublished } from '#/lib/signing/publication.ts'
import { isComplete } from '#/lib/signing/review-documents.ts'
import { ownViewOf, progressWords, refuseAllButRenewals } from '#/lib/signing/review-draft-of-server.ts'
import { rootFlag, sayAnchor, type RootFlags } from '#/lib/signing/root-flag.ts'
import { type Member, Refused, withMember } from '#/lib/signing/with-member.ts'

export interface ChangeFlags extends ServerFlags, KeyFlags, ConsentFlags, RootFlags {}
export const changeFlags = { ...serverFlags, ...keyFlags, ...consentFlag, ...rootFlag } as const

export interface BoardFlags extends ChangeFlags {
  readonly board?: string
}
export const boardFlags = {
  ...changeFlags,
  board: { kind: 'parsed', parse: String, optional: true, brief: 'Which board; not needed when there is one' },
} as const

/** What a change is worked out from: the verified repository, and how to read what the person typed. */
export interface Desk {
  readonly member: Member
  readonly repository: RepositoryDraft
  /** The board that is meant. */
  readonly board: (flags: BoardFlags) => string
  readonly newKey: (text: string) => NamedKey
  /** The public key of somebody who is there already, by name, key id or public key. */
  readonly presentKey: (text: string) => string
}

export interface WorkedOut {
  readonly title: string
  readonly changes: Result<readonly Change[], Refusal<string>>
}

/** One guided flow from the verified repository to a draft with the first signatures, and to its publication if that is enough. */
export async function changeTrust(
  context: CliContext,
  flags: ChangeFlags,
  workOut: (desk: Desk) => WorkedOut | Promise<WorkedOut>,
): Promise<void> {
  await withMember(context, flags, async (member) => {
    const view = await ownViewOf(member, flags.rootSha256)
    sayAnchor(context, view)
    if (view === undefined)
      throw new Refused('root-is-there', 'There is no root yet. Hold the first ceremony: bascule trust init.')
    const known = await knownKeysOf(member)
    const { repository } = view
    const named = new Map<string, string>()
    const { title, changes } = await workOut(deskOf(member, flags, repository, known, named))
    if (view.isExpired && changes.ok) refuseAllButRenewals(changes.value.map(({ decision }) => decision))
    const nameOf = (id: string): string =>
      `${named.get(id) ?? nameById(known).get(id) ?? 'somebody'} (key ${id.slice(0, 12)})`
    const proposed = await proposeChange(member, flags, { title, kind: 'governance', repository, changes, nameOf })
    if (proposed === undefined) return
    const { documents } = proposed
    const draft = documents.every(isComplete) ? await untilPublished(member, proposed.draft) : proposed.draft
    const lines = [...progressWords({ documents, nameOf }), ...outcomeWords(draft)]
    printResult(context, flags.json, { draft }, lines)
    if (draft.refusal)
      failWith(context, exitCodes.refused, false, { kind: draft.refusal.rule, problem: draft.refusal.fact })
  })
}

/** Role files that people have to renew within this many days. */
export function dueWithin(repository: RepositoryDraft, days: number, at: Temporal.Instant): string[] {
  const { root, roles } = repository
  const documents = {
    ...Object.fromEntries(Object.entries(roles).map(([role, { signed }]) => [role, signed])),
    ...(root ? { root: root.signed } : {}),
  }
  return renewalsDue(documents, at)
    .filter(({ renewedBy, daysLeft }) => renewedBy === 'people' && daysLeft < days)
    .map(({ role }) => role)
}

export function boardsIn(repository: RepositoryDraft): string[] {
  const names = delegationsOf(repository.roles['targets']?.signed)?.roles.map(({ name }) => name) ?? []
  return names.filter((name) => roleNameFrom(name)?.kind === 'board')
}

function deskOf(
  member: Member,
  flags: ChangeFlags,
  repository: RepositoryDraft,
  known: KnownKeys,
  named: Map<string, string>,
): Desk {
  const keys = keysMeant(member.home, flags)
  const mine = keys.length === 1 ? keys[0] : undefined
  return {
    member,
    repository,
    board: ({ board }) => boardMeant(boardsIn(repository), board),
    newKey: (text) => {
      const key = namedKeyFrom(text, mine, known)
      named.set(keyIdOf(key.publicKey), key.name)
      return key
    },
    presentKey: (text) => presentKey(allKeys(repository), text, known),
  }
}

function boardMeant(boards: readonly string[], board: string | undefined): string {
  const [only] = boards
  if (board !== undefined) return board
  if (boards.length === 1 && only !== undefined) return only
  throw new Refused('board-is-named', `Say which board with --board: ${boards.join(', ') || 'there is none'}.`)
}

/** By key id, public key or label; by the person when that says which. */
function presentKey(present: ReadonlySet<string>, text: string, known: KnownKeys): string {
  const typed = text.toLowerCase()
  const isIt = (key: string): boolean =>
    key === typed || (text.length >= 6 && keyIdOf(key).startsWith(typed)) || known.get(key)?.label === text
  const exact = [...present].filter(isIt)
  const matches = exact.length > 0 ? exact : [...present].filter((key) => known.get(key)?.person === text)
  const [only] = matches
  if (matches.length === 1 && only !== undefined) return only
  const fact =
    matches.length === 0 ? `No key is called ${text}.` : `${matches.length} keys are called ${text}; use the key id.`
  throw new Refused('key-is-there', `${fact} See bascule trust status.`)
}

function allKeys({ root, roles }: RepositoryDraft): Set<string> {
  const fromRoles = Object.values(roles).flatMap(({ signed }) => Object.values(delegationsOf(signed)?.keys ?? {}))
  return new Set([...Object.values(root?.signed.keys ?? {}), ...fromRoles].map(({ keyval }) => keyval.public))
}

export function nameById(known: KnownKeys): Map<string, string> {
  return new Map([...known].map(([publicKey, { name }]) => [keyIdOf(publicKey), name]))
}
