import type { ReceiptSigned, Report } from '@bascule/contract/device/protocol.ts'
import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import type { Job } from '#/engine/job.ts'
import { endSentence, nameJob, sayJob, sayStuck, sayWait, stepWords } from '#/engine/say-job.ts'
import type { Journal } from './journal.ts'
import type { AgentState, JournalRecord } from './state.ts'

/** The journal, and a line in the log for whatever it takes in that a person would want to read. */
export function withDiary(journal: Journal, log: (line: string) => void): Journal {
  const watched = (change: () => void): void => {
    const before = journal.blind
    change()
    if (before === null && journal.blind !== null)
      log(`${journal.blind}. No job goes on until it can be written again.`)
    if (before !== null && journal.blind === null) log('The journal can be written again; jobs go on.')
  }
  return {
    get state() {
      return journal.state
    },
    get blind() {
      return journal.blind
    },
    append(...records) {
      const lines = sayRecords(journal.state, records)
      watched(() => {
        journal.append(...records)
      })
      for (const line of lines) log(line)
    },
    heal() {
      watched(() => {
        journal.heal()
      })
    },
    restart(state) {
      journal.restart(state)
    },
    close() {
      journal.close()
    },
  }
}

/** Pure: what records say to a person who knows the state before them. */
export function sayRecords(before: AgentState, records: readonly JournalRecord[]): string[] {
  return records.flatMap((record) => {
    if (record.t === 'job') return sayChange(before.jobs[record.job.id], record.job)
    if (record.t === 'report') return sayReport(before, record.report)
    const isBehind = record.t === 'heard' && record.acked < before.reportAcked
    return isBehind ? ['The server knows fewer reports than before: it came back from a backup and is told again.'] : []
  })
}

function sayChange(before: Job | undefined, job: Job): string[] {
  const name = nameJob(job)
  if (!before) return [`${name}: ${stepWords[job.step]}.`]
  const notes = job.notes.slice(before.notes.length).map((note) => `${name}: ${note}`)
  const withdrawal = job.withdrawn === true && before.withdrawn !== true ? [`${name}: ${withdrawnWords}`] : []
  return [...notes, ...withdrawal, ...sayStep(before, job).map((text) => `${name}: ${text}`)]
}

const withdrawnWords = 'the server withdrew it; it comes to a safe end first.'

function sayStep(before: Job, job: Job): string[] {
  if (job.stuck) return job.step === before.step ? [] : [endSentence(sayStuck(job.stuck))]
  if (job.wait) return isSameWait(before.wait, job.wait) ? [] : [`waits: ${sayWait(job.wait)}`]
  if (job.step === before.step) return []
  const cause = job.step === 'rolling-back' && job.cause !== undefined ? `: ${job.cause}` : ''
  const again = before.wait === undefined || before.wait.reason === 'gate' ? '' : 'the wait is over; '
  return [endSentence(`${again}${sayJob(job)}${cause}`)]
}

/** The same wait with other numbers in its sentence is no news. */
function isSameWait(before: Job['wait'], now: NonNullable<Job['wait']>): boolean {
  const words = (text: string) => text.replaceAll(/\d[\d.,:TZ-]*/g, '#')
  return before?.reason === now.reason && words(before.detail) === words(now.detail)
}

function sayReport(before: AgentState, report: Report): string[] {
  const job = before.jobs[report.job]
  if (!isTerminalStep(report.step)) {
    // A job that was taken speaks for itself; one that is refused outright has nothing but this report.
    return job || !report.stuck ? [] : [endSentence(`Job ${report.job} is not obeyed: ${report.stuck.detail}`)]
  }
  const signed = report.receipt?.signed
  if (!signed) return []
  const name = nameJob({ ...signed, id: signed.job, ...(job ? { productLine: job.productLine } : {}) })
  const cause = signed.cause === null ? '' : `: ${signed.cause}`
  return [endSentence(`${name}: ${stepWords[report.step]}${sayPackages(signed)}${cause}`)]
}

/** What the device has now, where the job was about that. */
function sayPackages({ outcome, packages }: ReceiptSigned): string {
  if ((outcome !== 'committed' && outcome !== 'rolled-back') || packages.length === 0) return ''
  const lines = packages.map(({ name, after }) => (after === null ? `${name} is gone` : `${name} ${after} runs`))
  return ` (${lines.join(', ')})`
}
