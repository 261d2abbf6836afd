import type { AuthorityRefused } from '@bascule/contract/device/protocol.ts'
import { authorise, type Authorised } from '@bascule/trust/client/authorise.ts'
import type { InstalledRelease } from '@bascule/trust/client/authorisation-case.ts'
import { memoryChecks } from '@bascule/trust/client/memory-checks.ts'
import { timeFloor } from '@bascule/trust/client/memory.ts'
import { metadataChecks } from '@bascule/trust/client/metadata-checks.ts'
import { refusalFrom, type AuthorityCode, type AuthorityRefusal } from '@bascule/trust/client/refusal.ts'
import type { VerifiedAuthority } from '@bascule/trust/client/verified-authority.ts'
import { roleNameOf, targetPathFrom } from '@bascule/trust/tuf/names.ts'
import type { Brought } from '#/authority/authority-keeper.ts'
import { type Authorisation, authorisationOf, quorumOf } from '#/authority/authorised-by.ts'
import { memoryOf } from '#/authority/seen-memory.ts'
import { StuckError, WaitError } from './failure.ts'
import type { Job } from './job.ts'
import { bringBlob } from './read-json-blob.ts'
import { endSentence } from './say-job.ts'
import { installedKey, type World } from './world.ts'

/** What a job may do, and who said so. */
export interface AuthorisedJob extends Authorised {
  readonly by: Authorisation
}

/** Brings the release manifest and the newest metadata here and asks. Throws what the refusal means for the job. */
export async function authoriseJob(world: World, job: Job, note: (text: string) => void): Promise<AuthorisedJob> {
  const { sha256, length } = job.manifest
  const manifestBytes = await bringBlob(world, { hex: sha256, sizeBytes: length }, note)
  return await askAuthority(world, job, manifestBytes)
}

/** The same question again just before the change: what was fetched is here, and what is known of the boards is in memory. */
export async function authoriseAgain(world: World, job: Job): Promise<AuthorisedJob> {
  const manifestBytes = world.store.read(job.manifest.sha256)
  if (!manifestBytes) throw new StuckError('storage', 'The release manifest is not readable on this disk any more.')
  return await askAuthority(world, job, manifestBytes)
}

async function askAuthority(world: World, job: Job, manifestBytes: Uint8Array): Promise<AuthorisedJob> {
  const { state } = world.journal
  if (!state.identity) throw new StuckError('trust', 'This device is not enrolled.')
  if (job.wait?.refusal && isLiftedByFiles(job.wait.refusal)) world.authority.want()
  const brought = await world.authority.bring()
  const { authority } = brought
  if (!authority) throw errorOf(world, job, refusalOf(brought), null)
  const memory = memoryOf(world.journal.state)
  const installed = state.installed[installedKey(job.productLine, job.activation)]
  const answer = authorise({
    authority,
    assignment: state.assignment,
    deviceId: state.identity.deviceId,
    jobId: job.id,
    manifestBytes,
    installed: installed ? releaseOf(installed) : null,
    kept: installed?.previous ? releaseOf(installed.previous) : null,
    at: timeFloor(memory, Temporal.Instant.from(world.now())),
    memory,
  })
  if (answer.ok) return { ...answer.value, by: authorisationOf(authority, answer.value) }
  // Where newer files would lift it, the reason why there are none is the better answer.
  const isKeptBack = answer.error.lift === 'metadata' && brought.refusal !== null
  throw errorOf(world, job, isKeptBack ? refusalOf(brought) : answer.error, authority)
}

function releaseOf({ release, counter, manifestSha256 }: InstalledRelease): InstalledRelease {
  return { release, counter, manifestSha256 }
}

function refusalOf({ refusal }: Brought): AuthorityRefusal {
  if (!refusal) throw new StuckError('unknown-state', 'The release boards are not known, and nothing says why.')
  return refusal
}

/** What a refusal means for the job. Faults of files that sources hand out are waited out: the next ones may be good. */
function errorOf(world: World, job: Job, refusal: AuthorityRefusal, authority: VerifiedAuthority | null): Error {
  const { code, rule, fact, lifter, next, lift } = refusal
  const more = { refusal: { code, rule } }
  if (code === 'UNAVAILABLE') return new WaitError('network', fact, 'the server or another source answers', more)
  if (lift === 'permit') return new WaitError('gate', fact, 'the server sends a newer assignment', more)
  if (lift === 'time') return new WaitError('window', fact, 'the phase begins', more)
  if (lift === 'person' && !isAboutFiles(rule)) {
    return new StuckError('trust', `${fact} ${lifter}: ${next}`, more.refusal)
  }
  const role = roleOf(world, job)
  const needs = authority && role !== undefined && codesOfQuorum.has(code) ? needsText(authority, role) : ` ${next}`
  return new WaitError(
    'gate',
    `${endSentence(fact)}${needs}`,
    `newer signed files of ${role ?? 'the release board'} come`,
    more,
  )
}

/** What only the signatures of the role itself lift. */
const codesOfQuorum = new Set<AuthorityCode>(['BOARD', 'QUORUM', 'PHASE', 'NOTAFTER'])

const rulesOfFiles = new Set(['tuf-verifies', ...[...metadataChecks, ...memoryChecks].map(({ name }) => name)])

/** Newer files may let the job go on; a phase that has not begun is not asked about once a minute. */
function isLiftedByFiles({ code, rule }: AuthorityRefused): boolean {
  return isAboutFiles(rule) || refusalFrom(rule, { code: code as AuthorityCode, fact: '' }).lift === 'metadata'
}

function isAboutFiles(rule: string): boolean {
  return rulesOfFiles.has(rule)
}

function needsText(authority: VerifiedAuthority, role: string): string {
  const quorum = quorumOf(authority, role)
  return quorum ? ` Needed: ${quorum.threshold} of ${quorum.keyCount} signatures of ${role}.` : ''
}

function roleOf(world: World, job: Job): string | undefined {
  const at = targetPathFrom(pathOf(world, job) ?? '')
  return at && roleNameOf(at)
}

/** An agent before this one did not note the path with the job; the assignment has it. */
function pathOf({ journal }: World, { id, path }: Job): string | undefined {
  if (path !== undefined) return path
  const targets = journal.state.assignment?.signed.targets ?? {}
  return Object.entries(targets).find(([, { custom }]) => custom.job === id)?.[0]
}
