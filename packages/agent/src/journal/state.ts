import type { Assignment, Report, TufKey } from '@bascule/contract/device/protocol.ts'
import type { SeenMemory } from '@bascule/trust/client/memory.ts'
import type { Anchor } from '#/authority/anchor.ts'
import type { Authorisation } from '#/authority/authorised-by.ts'
import type { Job } from '#/engine/job.ts'
import { plainText } from '#/engine/plain-text.ts'
import { agentVersion } from '#/agent-version.ts'

/** Who this device is to its server. Written once at enrolment; the director key is pinned by it. */
export interface Identity {
  readonly server: string
  readonly deviceId: string
  readonly name: string
  readonly directorKey: TufKey
  readonly enrolledAt: string
  /** The first root of the release boards; missing until the device has one. */
  readonly root?: Anchor
  /** Fingerprint that a person gave at enrolment, before there was a root. */
  readonly demandedRootSha256?: string
}

export interface InstalledPackage {
  readonly name: string
  readonly version: string
  readonly index: string
  readonly variant: string
  readonly modules: readonly string[]
  readonly installer: string
  readonly folder: string
}

/** What one product line has on this device under one activation name, and what it can go back to. */
export interface Installed {
  readonly productLine: string
  readonly activation: string
  readonly release: string
  readonly counter: number
  readonly manifestSha256: string
  readonly packages: readonly InstalledPackage[]
  /** Who let it onto this device; missing for what came before devices asked. */
  readonly authorisedBy?: Authorisation
  readonly previous: Omit<Installed, 'previous' | 'productLine' | 'activation'> | null
  readonly since: string
}

export interface AgentState {
  readonly identity: Identity | null
  /** No request up to this number may be sent again; reserved in blocks so that an idle device writes rarely. */
  readonly requestSeq: number
  /** Generation of the assignment the jobs come from. */
  readonly generation: number
  readonly assignment: Assignment | null
  /** Never fall, whatever the server says: the newest generation ever taken, and the latest time ever seen. */
  readonly seenGeneration: number
  readonly seenTime: string
  /** What was seen of the release boards, apart from the cache of their files; null before the first time. */
  readonly authority: SeenMemory | null
  readonly epoch: string | null
  readonly jobs: Readonly<Record<string, Job>>
  /** Keys of jobs that ended; a job that is sent again does not run again. */
  readonly finished: readonly string[]
  readonly installed: Readonly<Record<string, Installed>>
  readonly reports: readonly Report[]
  readonly reportHigh: number
  readonly reportAcked: number
  /** The journal was lost and rebuilt: the number of the last report is asked from the server before a new one is made. */
  readonly mustAdoptReportHigh: boolean
  readonly rebuilt: { readonly at: string; readonly why: string } | null
}

export const emptyState: AgentState = {
  identity: null,
  requestSeq: 0,
  generation: 0,
  assignment: null,
  seenGeneration: 0,
  seenTime: '1970-01-01T00:00:00Z',
  authority: null,
  epoch: null,
  jobs: {},
  finished: [],
  installed: {},
  reports: [],
  reportHigh: 0,
  reportAcked: 0,
  mustAdoptReportHigh: false,
  rebuilt: null,
}

/** What is appended to the journal. A list of them in one frame takes effect as a whole or not at all. */
export type JournalRecord =
  | { readonly t: 'snapshot'; readonly state: AgentState }
  | { readonly t: 'identity'; readonly identity: Identity; readonly epoch: string }
  | { readonly t: 'seq'; readonly upTo: number }
  | { readonly t: 'assignment'; readonly assignment: Assignment; readonly generation: number }
  | { readonly t: 'authority'; readonly memory: SeenMemory }
  | { readonly t: 'job'; readonly job: Job }
  | { readonly t: 'ended'; readonly id: string; readonly key: string }
  | { readonly t: 'installed'; readonly key: string; readonly installed: Installed | null }
  | { readonly t: 'report'; readonly report: Report }
  | {
      readonly t: 'heard'
      readonly epoch: string
      readonly acked: number
      readonly adopted?: boolean
      /** Only agents before this one kept the time that a server said: a wrong one would have held for ever. */
      readonly time?: string
    }

/** A newer agent wrote the journal. Passing over what it wrote would be to forget what it did. */
export class UnknownRecord extends Error {
  constructor(record: { readonly t?: unknown }) {
    super(
      `The journal holds a record of the kind "${plainText(String(record.t), 40)}", which agent ${agentVersion} does not know: a newer agent wrote it. ` +
        'Start the newer agent again, and it goes on where it was. If that cannot be, move journal-a and journal-b out of the data folder and start this agent: ' +
        'it rebuilds its memory from what is installed, and the server sends again what is still to be done.',
    )
  }
}

export const retainedReports = 256
const retainedFinished = 512
const retainedMs = 90 * 86_400_000

/** Pure: the state after one record. Reading the journal is nothing but this, over all records. */
export function applyRecord(state: AgentState, record: JournalRecord): AgentState {
  switch (record.t) {
    case 'snapshot':
      return { ...emptyState, ...record.state }
    case 'identity':
      return { ...state, identity: record.identity, epoch: record.epoch }
    case 'seq':
      return { ...state, requestSeq: Math.max(state.requestSeq, record.upTo) }
    case 'assignment':
      return {
        ...state,
        assignment: record.assignment,
        generation: record.generation,
        seenGeneration: Math.max(state.seenGeneration, record.generation),
      }
    case 'authority':
      return { ...state, authority: record.memory }
    case 'job':
      return { ...state, jobs: { ...state.jobs, [record.job.id]: record.job } }
    case 'ended':
      return {
        ...state,
        jobs: without(state.jobs, record.id),
        finished: [...state.finished, record.key].slice(-retainedFinished),
      }
    case 'installed':
      return {
        ...state,
        installed: record.installed
          ? { ...state.installed, [record.key]: record.installed }
          : without(state.installed, record.key),
      }
    case 'report':
      return {
        ...state,
        reports: retainReports([...state.reports, record.report], state.reportAcked, record.report.at),
        reportHigh: Math.max(state.reportHigh, record.report.seq),
      }
    case 'heard':
      return heard(state, record)
    default:
      throw new UnknownRecord(record)
  }
}

function heard(state: AgentState, record: JournalRecord & { t: 'heard' }): AgentState {
  return {
    ...state,
    epoch: record.epoch,
    reportAcked: record.acked,
    reportHigh: record.adopted === true ? Math.max(state.reportHigh, record.acked) : state.reportHigh,
    mustAdoptReportHigh: record.adopted === true ? false : state.mustAdoptReportHigh,
    seenTime: record.time !== undefined && record.time > state.seenTime ? record.time : state.seenTime,
  }
}

/** Acknowledged reports are kept for a server that comes back from a backup; those it never heard of are never dropped. */
function retainReports(reports: readonly Report[], acked: number, nowIso: string): Report[] {
  const oldest = Date.parse(nowIso) - retainedMs
  const spare = reports.length - retainedReports
  return reports.filter((report, index) => report.seq > acked || (index >= spare && Date.parse(report.at) >= oldest))
}

function without<Value>(map: Readonly<Record<string, Value>>, key: string): Record<string, Value> {
  return Object.fromEntries(Object.entries(map).filter(([name]) => name !== key))
}
