import { ok, refuse, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import { decisionFrom } from '@bascule/trust/tuf/decision.ts'
import { roleWords } from '@bascule/trust/tuf/decision-words.ts'
import type { ReleaseTarget } from '@bascule/trust/tuf/documents.ts'
import { reviewDraft, type RoleDecision } from '@bascule/trust/tuf/draft.ts'
import { readManifest } from '@bascule/trust/tuf/read-manifest.ts'
import { StatementSigned } from '@bascule/trust/statement-form.ts'
import { sha256HexOf } from './bytes.ts'
import type { OwnView } from './own-view.ts'
import type { DocumentInRequest } from './requests.ts'

/** What a signature would mean, and exactly what it would be made over. */
export interface Reviewed {
  readonly role: string
  readonly signed: Readonly<Record<string, unknown>>
  readonly words: readonly string[]
}

export interface ReviewInput {
  readonly view: Pick<OwnView, 'versionOf' | 'quorumOf'>
  readonly documents: readonly DocumentInRequest[]
  /** Id of the key that is asked to sign, computed from the key. */
  readonly keyId: string
  readonly at: Temporal.Instant
  readonly fetchBlob: (sha256: string, maxBytes: number) => Promise<Uint8Array | undefined>
}

/**
 * Reviews every document of a draft against what this page has verified itself. One that is not exactly its decision
 * condemns the whole draft. Answers what this key has to sign of it, which is never nothing.
 */
export async function reviewDocuments(input: ReviewInput): Promise<Result<readonly Reviewed[], Refusal>> {
  const roles = input.documents.map(({ role }) => role)
  if (new Set(roles).size !== roles.length) return no('draft-has-a-form', 'The draft holds a role twice.')
  const reviewed: Reviewed[] = []
  for (const document of input.documents) {
    const one = await reviewOne(input, document)
    if (!one.ok) return one
    if (Object.hasOwn(input.view.quorumOf(document.role).keys, input.keyId)) reviewed.push(one.value)
  }
  if (reviewed.length === 0) return refuse(notAMember(input.keyId, roles))
  const isSigned = (role: string) =>
    input.documents.some((one) => one.role === role && one.signatures.some(({ keyid }) => keyid === input.keyId))
  const missing = reviewed.filter(({ role }) => !isSigned(role))
  return missing.length > 0 ? ok(missing) : refuse(signedAlready(input.keyId))
}

/** Roles of the documents whose form this page knows: those that list releases. */
export function listingRoles(documents: readonly DocumentInRequest[]): Result<readonly string[], Refusal> {
  const other = documents.find(({ role, decision }) => decisionFrom(role, decision)?.document !== 'releases')
  if (other === undefined) return ok(documents.map(({ role }) => role))
  return decisionFrom(other.role, other.decision) === undefined
    ? no('decision-has-a-form', `What was decided about ${other.role} is not of the agreed form.`)
    : refuse(onlyReleases(other.role))
}

/** A no-go or a deferral. It can let nothing out, so what is checked is that it is one, and whose it is. */
export function reviewStatement(signed: unknown, keyId: string): Result<Reviewed, Refusal> {
  const { data } = StatementSigned.safeParse(signed)
  if (data === undefined) return no('statement-has-a-form', 'This is no statement of the agreed form.')
  if (data.by !== keyId) return no('speaker-is-the-key', 'The statement names another speaker than this key.')
  return ok({ role: data.kind, signed: data, words: statementWords(data) })
}

function statementWords(said: StatementSigned): string[] {
  const reason = `Reason: ${said.reason === '' ? 'none given' : said.reason}`
  switch (said.kind) {
    case 'no-go':
      return [`NO-GO for release ${said.release}.`, reason, 'A statement lets nothing out and stops nothing by itself.']
    case 'defer':
      return [`DEFER: release ${said.release} waits until ${said.untilOn}.`, reason]
    case 'waiver':
      return [`WAIVER of ${said.criterion} for release ${said.release}.`, reason]
    case 'sign-off':
      return [`SIGN-OFF of ${said.criterion} for release ${said.release}.`, reason]
    default:
      return said satisfies never
  }
}

async function reviewOne(input: ReviewInput, document: DocumentInRequest): Promise<Result<Reviewed, Refusal>> {
  const { role, signed } = document
  const decided = decisionFrom(role, document.decision)
  if (decided?.document !== 'releases') return refuse(onlyReleases(role))
  const difference = reviewDraft(input.view.versionOf(role), signed, decided.decision, input.at)
  if (!difference.ok) return difference
  const target = releaseIn(decided.decision)
  if (target === undefined) return ok({ role, signed, words: roleWords(difference.value) })
  const bytes = await input.fetchBlob(target.hashes.sha256, target.length)
  if (bytes === undefined) return no('manifest-is-there', `The server has no manifest ${target.hashes.sha256}.`)
  if (bytes.length !== target.length || (await sha256HexOf(bytes)) !== target.hashes.sha256) {
    return no('manifest-is-the-signed-one', 'The manifest is not the one that the draft pins.')
  }
  const manifest = readManifest(bytes, target.custom)
  if (!manifest.ok) return no(manifest.error.rule, manifest.error.fact)
  return ok({ role, signed, words: roleWords(difference.value, manifest.value) })
}

function releaseIn(decision: RoleDecision): ReleaseTarget | undefined {
  if (!('target' in decision)) return undefined
  const { length, hashes, custom } = decision.target
  return custom.kind === 'release' ? { length, hashes, custom } : undefined
}

function onlyReleases(role: string): Refusal {
  return {
    rule: 'page-signs-decisions-about-releases',
    fact: `The draft changes ${role}: who decides, and not a release.`,
    lifter: 'You, with the bascule command line',
    next: 'Sign it with a key of the bascule command line: bascule sign.',
  }
}

function notAMember(keyId: string, roles: readonly string[]): Refusal {
  return {
    rule: 'key-counts',
    fact: `The key ${keyId.slice(0, 12)} counts for none of: ${roles.join(', ')}.`,
    lifter: 'The governance quorum of the board',
    next: 'Sign with the key that the board lists for you, or ask for a change of the members.',
  }
}

function signedAlready(keyId: string): Refusal {
  return {
    rule: 'signed-already',
    fact: `The key ${keyId.slice(0, 12)} has signed this draft.`,
    lifter: 'Nobody: one key counts once',
    next: 'Wait for the other members.',
  }
}

function no(rule: string, fact: string): Result<never, Refusal> {
  const next = 'Do not sign. Tell the other members what this draft holds.'
  return refuse({ rule, fact, lifter: 'Nobody', next })
}
