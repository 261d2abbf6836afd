import type { DraftView } from '@bascule/contract/decide/signing.ts'
import { buildCommand } from '@stricli/core'
import { failWith, printResult, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { agreed, consentFlag, type ConsentFlags } from '#/lib/signing/consent.ts'
import { keyFlags, keysMeant, unlockKeys, type KeyFlags } from '#/lib/signing/key-choice.ts'
import { keyIdOfLocked } from '#/lib/signing/locked-key.ts'
import {
  afterSigning,
  ownViewOf,
  progressWords,
  refuseAllButRenewals,
  refuseForeignDraft,
  reviewDraftOfServer,
  type ReviewedDraft,
  signAndAttach,
  waitingFor,
} from '#/lib/signing/review-draft-of-server.ts'
import { asView, outcomeWords, untilPublished } from '#/lib/signing/publication.ts'
import { rootFlag, sayAnchor, type RootFlags } from '#/lib/signing/root-flag.ts'
import { isComplete } from '#/lib/signing/review-documents.ts'
import { type Member, Refused, withMember } from '#/lib/signing/with-member.ts'
import { tableLines } from '#/lib/table.ts'

export interface SignFlags extends ServerFlags, KeyFlags, RootFlags, ConsentFlags {}

export const signFlags = { ...serverFlags, ...keyFlags, ...rootFlag, ...consentFlag } as const

export const signCommand = buildCommand<SignFlags, [string?], CliContext>({
  docs: {
    brief: 'Review and sign what waits for your key; without a name it lists what waits',
    fullDescription:
      'Compares the draft with the version that this machine has verified itself, shows what it means, and signs only when you agree. A draft that holds anything but its one decision is refused with exit code 4, and nothing is sent.',
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'A case such as CASE-0001, or the id of a draft',
          placeholder: 'what',
          parse: parseWhat,
          optional: true,
        },
      ],
    },
    flags: signFlags,
  },
  async func(flags, what) {
    await withMember(this, flags, async (member) => {
      await (what === undefined ? listWaiting(member, flags) : sign(member, flags, what))
    })
  },
})

async function listWaiting({ client, home, context }: Member, flags: SignFlags): Promise<void> {
  const mine = keysMeant(home, flags).map(keyIdOfLocked)
  const { items } = await client.decide.draft.list({ state: 'signing' })
  const waiting = items.filter(({ documents }) =>
    documents.some(({ members }) => members.some(({ keyId, hasSigned }) => mine.includes(keyId) && !hasSigned)),
  )
  const rows = waiting.map(({ id, caseId, title, proposedBy }) => [caseId ?? id, title, `by ${proposedBy}`])
  printResult(
    context,
    flags.json,
    { items: waiting },
    rows.length === 0 ? ['Nothing waits for your key.'] : tableLines(rows),
  )
}

async function sign(member: Member, flags: SignFlags, what: string): Promise<void> {
  const draft = await draftOf(member, what)
  await signDraft(member, flags, draft.draft, draft.releaseId)
}

/** The draft of a case, or the draft itself. */
async function draftOf({ client }: Member, what: string): Promise<{ draft: DraftView; releaseId?: string }> {
  if (!what.startsWith('CASE-')) return { draft: asView(await client.decide.draft.get({ draftId: what })) }
  const { draft, state, releaseId } = await client.decide.case.get({ caseId: what })
  if (draft === null) throw new Refused('case-has-a-draft', `There is nothing to sign: ${what} is ${state}.`)
  return { draft: asView(draft), releaseId }
}

/** Reviews, shows, asks, signs, attaches, and says what is still missing. Waits for the publication when nothing is. */
export async function signDraft(member: Member, flags: SignFlags, draft: DraftView, releaseId?: string): Promise<void> {
  const { context, home } = member
  const view = await ownViewOf(member, flags.rootSha256)
  sayAnchor(context, view)
  const reviewed = await reviewDraftOfServer(member, draft, view)
  if (releaseId !== undefined) refuseForeignDraft(reviewed.documents, releaseId)
  if (view?.isExpired) refuseAllButRenewals(reviewed.documents.map(({ decision }) => decision.decision))
  const keys = waitingFor(reviewed.documents, keysMeant(home, flags))
  if (keys.length === 0) {
    throw new Refused(
      'key-may-sign',
      `No key here can sign this draft, or yours has signed it already. ${progressWords(reviewed).join(' ')}`,
    )
  }
  context.process.stderr.write(`${sheetOf(reviewed).join('\n')}\n`)
  if (!(await agreed(context, flags, `Sign this with ${keys.map(({ label }) => label).join(', ')}?`))) return
  const pairs = await unlockKeys(context, flags, keys)
  if (pairs === undefined) return
  const attached = asView(await signAndAttach(member, reviewed, pairs))
  const root = draft.kind === 'ceremony' && reviewed.documents.find(({ role }) => role === 'root')
  if (root) member.memory.rememberCeremony(root.signed)
  const documents = afterSigning(reviewed.documents, pairs)
  const after = documents.every(isComplete) ? await untilPublished(member, attached) : attached
  printResult(
    context,
    flags.json,
    { draft: after, documents: documents.map(({ role, signers }) => ({ role, signers })) },
    [...progressWords({ documents, nameOf: reviewed.nameOf }), ...outcomeWords(after)],
  )
  if (after.refusal)
    failWith(context, exitCodes.refused, false, { kind: after.refusal.rule, problem: after.refusal.fact })
}

/** What is shown before the question. It goes to stderr, so that the result alone is on stdout. */
function sheetOf({ draft, documents }: ReviewedDraft): string[] {
  const title = `The server calls it: ${draft.title}`
  const [only] = documents
  if (documents.length === 1 && only) return [title, ...only.words.map((line) => `  ${line}`)]
  return [title, ...documents.flatMap(({ role, words }) => [`${role}:`, ...words.map((line) => `  ${line}`)])]
}

function parseWhat(text: string): string {
  if (/^CASE-\d{4,9}$/.test(text) || /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text
  throw new Error('is neither a case such as CASE-0001 nor the id of a draft')
}
