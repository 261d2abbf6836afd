import { existsSync } from 'node:fs'
import path from 'node:path'
import type { AuthorityRefused, ReceiptSigned } from '@bascule/contract/device/protocol.ts'
import type { AgentStep } from '@bascule/domain/deliver/agent-step.ts'
import type { SeenMemory } from '@bascule/trust/client/memory.ts'
import { keyIdOf } from '@bascule/trust/keys.ts'
import { sayAnchor, type Anchor } from './authority/anchor.ts'
import { readMetadataEnds } from './authority/metadata-cache.ts'
import { sayAuthorisation, type Authorisation } from './authority/authorised-by.ts'
import { readContact, type Contact } from './check-in/contact.ts'
import { metadataFolderName, readIdentityCopy } from './check-in/enrol.ts'
import { lockOwner } from './data-lock.ts'
import type { JobAction } from './engine/job.ts'
import { endSentence, nameJob, sayJob } from './engine/say-job.ts'
import { readJournal } from './journal/journal.ts'
import type { AgentState, Identity, Installed } from './journal/state.ts'
import type { Platform } from './platform/platform.ts'

export interface Status {
  readonly data: string
  readonly hasData: boolean
  /** Whether the journal can be read: without it nobody knows what runs. */
  readonly isKnown: boolean
  readonly enrolled: boolean
  readonly server: string | null
  readonly deviceId: string | null
  readonly name: string | null
  /** Process that runs the agent; null when it does not run. */
  readonly process: number | null
  /** How the last conversation with the server went; null when there was none. */
  readonly contact: Contact | null
  readonly authority: Authority | null
  readonly runs: readonly Run[]
  readonly jobs: readonly {
    readonly id: string
    readonly action: JobAction
    readonly release: string
    readonly productLine: string
    readonly step: AgentStep
    readonly says: string
  }[]
  readonly untoldReports: number
  readonly journal: string
}

/** Whose orders this device obeys. */
export interface Authority {
  readonly directorKey: string
  readonly generation: number
  readonly root: Anchor | null
  /** Fingerprint that is demanded of a root which is still to come. */
  readonly demandedRootSha256: string | null
  /** Versions of the verified metadata; null before the first time. */
  readonly metadata: Pick<SeenMemory, 'rootVersion' | 'snapshotVersion' | 'timestampVersion' | 'roles'> | null
  /** When each file ends that is kept, by role, the first one first. */
  readonly metadataEnds: Readonly<Record<string, string>>
  /** The last thing that was not permitted. */
  readonly refusal: LastRefusal | null
}

interface LastRefusal extends AuthorityRefused {
  readonly job: string
  readonly at: string
  readonly detail: string
}

interface Run {
  readonly package: string
  readonly version: string
  readonly release: string
  readonly activation: string
  readonly since: string
  readonly canReturnTo: string | null
  /** Who let it onto this device; null for what came before devices asked. */
  readonly authorisedBy: Authorisation | null
  /** From the receipt of the install; null when this device does not hold that receipt any more. */
  readonly verified: { readonly at: string; readonly levels: ReceiptSigned['verification'] } | null
}

/** Reads the journal without taking part: works while the agent runs and while it does not. */
export function readStatus(data: string, platform: Platform): Status {
  const state = readJournal(data)
  const identity = state?.identity ?? (state === null ? readIdentityCopy(data) : null)
  return {
    data,
    hasData: existsSync(data),
    isKnown: state !== null,
    enrolled: identity !== null,
    server: identity?.server ?? null,
    deviceId: identity?.deviceId ?? null,
    name: identity?.name ?? null,
    process: lockOwner(data, platform),
    contact: readContact(data),
    authority: identity === null ? null : authorityOf(data, identity, state),
    runs: state ? Object.values(state.installed).flatMap((installed) => runsOf(state, installed)) : [],
    jobs: state
      ? Object.values(state.jobs).map((job) => {
          const { id, action, release, productLine, step } = job
          return { id, action, release, productLine, step, says: sayJob(job) }
        })
      : [],
    untoldReports: state ? state.reports.filter(({ seq }) => seq > state.reportAcked).length : 0,
    journal: journalLine(state),
  }
}

function authorityOf(data: string, identity: Identity, state: AgentState | null): Authority {
  const memory = state?.authority
  return {
    directorKey: keyIdOf(identity.directorKey.keyval.public),
    generation: state?.seenGeneration ?? 0,
    root: identity.root ?? null,
    demandedRootSha256: identity.demandedRootSha256 ?? null,
    metadata: memory ? versionsOf(memory) : null,
    metadataEnds: readMetadataEnds(path.join(data, metadataFolderName)),
    refusal: state ? lastRefusal(state) : null,
  }
}

function versionsOf({ rootVersion, snapshotVersion, timestampVersion, roles }: SeenMemory) {
  return { rootVersion, snapshotVersion, timestampVersion, roles }
}

/** What a job is refused now, and else what the reports remember. */
function lastRefusal({ jobs, reports }: AgentState): LastRefusal | null {
  const open = Object.values(jobs).flatMap(({ id, wait, stuck, startedAt }) => {
    const said = stuck ?? wait
    return said?.refusal ? [{ job: id, at: wait?.since ?? startedAt, detail: said.detail, ...said.refusal }] : []
  })
  const told = reports.flatMap(({ job, at, wait, stuck }) => {
    const said = stuck ?? wait
    return said?.refusal ? [{ job, at, detail: said.detail, ...said.refusal }] : []
  })
  return [...told, ...open].at(-1) ?? null
}

function journalLine(state: AgentState | null): string {
  if (!state) return 'missing or damaged; the agent rebuilds it when it starts'
  return state.rebuilt === null ? 'good' : `rebuilt at ${state.rebuilt.at} (${state.rebuilt.why})`
}

function runsOf(state: AgentState, installed: Installed): Run[] {
  const { packages, release, activation, since, previous } = installed
  const receipt = receiptOf(state, installed)
  return packages.map((entry) => ({
    package: entry.name,
    version: entry.version,
    release,
    activation,
    since,
    canReturnTo: previous?.packages.find(({ name }) => name === entry.name)?.version ?? null,
    authorisedBy: installed.authorisedBy ?? null,
    verified: receipt ? { at: receipt.finishedAt, levels: receipt.verification } : null,
  }))
}

/** The receipt of the install that brought what is there. */
function receiptOf(state: AgentState, { manifestSha256 }: Installed): ReceiptSigned | undefined {
  const receipts = state.reports.flatMap(({ receipt }) => (receipt ? [receipt.signed] : []))
  return receipts.findLast(
    (signed) =>
      signed.manifestSha256 === manifestSha256 && signed.action === 'install' && signed.outcome === 'committed',
  )
}

/** The status as a person reads it. Pure. */
export function describeStatus(status: Status): string {
  return `${(status.enrolled ? linesOf(status) : linesOfStranger(status)).join('\n')}\n`
}

function linesOfStranger({ data, hasData, journal, process }: Status): string[] {
  if (!hasData) {
    return [`No agent has run here: there is no folder ${data}.`, 'An agent with another data folder: --data DIR.']
  }
  if (process !== null) return [`The agent runs (process ${process}) and is not enrolled yet; its log says why.`]
  const enrol = 'Enrol it: bascule-agent enrol --server URL --token-file FILE'
  return ['This device is not enrolled.', enrol, `Journal: ${journal}.`]
}

function linesOf(status: Status): string[] {
  return [
    `Device ${status.name ?? ''} (${status.deviceId?.slice(0, 12) ?? ''}…) of ${status.server ?? ''}`,
    status.process === null
      ? 'The agent does not run: what is installed stays, and nothing moves until it is started.'
      : `The agent runs (process ${status.process}).`,
    ...(status.process === null ? [] : [sayContact(status.contact)]),
    ...sayAuthority(status.authority),
    '',
    ...(status.isKnown
      ? whatRuns(status)
      : ['What it runs and waits for is not known before its journal is there again.']),
    ...(status.untoldReports > 0 ? [`Still to be told to the server: reports, ${status.untoldReports}.`] : []),
    ...(status.journal === 'good' ? [] : [`Journal: ${status.journal}.`]),
  ]
}

function whatRuns(status: Status): string[] {
  return [
    ...(status.runs.length === 0 ? ['Runs nothing yet.'] : status.runs.flatMap(sayRun)),
    '',
    ...(status.jobs.length === 0 ? [restWords(status)] : status.jobs.map((job) => `${nameJob(job)}: ${job.says}`)),
  ]
}

function sayContact(contact: Contact | null): string {
  if (contact === null) return 'It has not asked the server yet.'
  const { state, why, since } = contact
  if (state === 'heard') return `The server has answered since ${since}.`
  if (state === 'pending') return `Waits since ${since} until a person approves this device on the server.`
  return `No check-in since ${since}: ${why.replace(/\.$/, '')}. It tries again by itself; what is installed stays.`
}

function restWords({ contact, authority }: Status): string {
  if (contact?.state === 'pending') return 'Waits for no job: there are none before the approval.'
  return authority?.generation === 0
    ? 'Waits for nothing: no order has come yet.'
    : 'Waits for nothing: no job is open.'
}

function sayAuthority(authority: Authority | null): string[] {
  if (authority === null) return []
  const { directorKey, generation } = authority
  const last = generation === 0 ? 'none has come yet' : `the newest is number ${generation}`
  const { root, demandedRootSha256 } = authority
  const anchor = { ...(root ? { root } : {}), ...(demandedRootSha256 === null ? {} : { demandedRootSha256 }) }
  return [
    `Obeys orders signed by the director key ${directorKey.slice(0, 12)}… only; ${last}.`,
    sayAnchor(anchor),
    ...sayMetadata(authority.metadata),
    ...sayEnds(authority.metadataEnds),
    ...sayRefusal(authority.refusal),
  ]
}

function sayMetadata(metadata: Authority['metadata']): string[] {
  if (metadata === null) return []
  const { rootVersion, timestampVersion, roles } = metadata
  const files = Object.keys(roles)
    .toSorted()
    .map((role) => `${role} ${roles[role]}`)
  return [`Verified files of the boards: root ${rootVersion}, ${files.join(', ')} (timestamp ${timestampVersion}).`]
}

function sayEnds(ends: Authority['metadataEnds']): string[] {
  const files = Object.entries(ends).map(([role, end]) => `${role} at ${end}`)
  return files.length === 0 ? [] : [`They end: ${files.join(', ')}.`]
}

function sayRefusal(refusal: LastRefusal | null): string[] {
  if (refusal === null) return []
  const { job, at, code, rule, detail } = refusal
  return [`Last not permitted: job ${job} at ${at} (${code}, ${rule}): ${endSentence(detail)}`]
}

function sayRun(run: Run): string[] {
  const back = run.canReturnTo === null ? '' : `, can go back to ${run.canReturnTo}`
  const line = `Runs ${run.package} ${run.version} (release ${run.release}, ${run.activation}) since ${run.since}${back}.`
  const by = run.authorisedBy === null ? [] : sayWho(run.authorisedBy)
  if (run.verified === null) return [line, ...by, '  How it was verified: its receipt is not kept here.']
  const { at, levels } = run.verified
  // Level 1 is the only one that is not about what lies on the disk, but about who wanted it there.
  const board = by.length > 0 ? undefined : levels.find(({ level }) => level === 1)
  const checked = levels
    .filter(({ level }) => level !== 1)
    .map(({ level, result }) => `${levelWords[level] ?? `level ${level}`} ${resultWords[result]}`)
  return [
    line,
    ...by,
    ...(board ? [`  ${endSentence(board.detail)}`] : []),
    `  Verified at ${at}: ${checked.join(', ')}.`,
  ]
}

function sayWho(by: Authorisation): string[] {
  const keys = by.signers.map((id) => `${id.slice(0, 12)}…`)
  return [`  Authorised by the board: ${sayAuthorisation(by)}.`, `  Keys that signed: ${keys.join(', ')}`]
}

const levelWords: Record<number, string> = {
  0: 'delivered whole',
  2: 'in its place',
  3: 'every file as signed',
  4: 'healthy',
  5: 'attested',
}

const resultWords: Record<ReceiptSigned['verification'][number]['result'], string> = {
  passed: '(passed)',
  failed: '(FAILED)',
  'not-asked': '(not asked)',
  'not-yet': '(not yet)',
}
