import type { ReleaseRow } from '#/plan/release/ReleaseTable.tsx'
import { caseTitle, type CaseRow } from '#/decide/case/case-view.ts'
import { countOf } from '#/ui/format.ts'

/** One thing that waits for a person, and where it is done. */
export interface Need {
  key: string
  what: string
  at: { releaseId: ReleaseRow['id'] } | { query: string } | { caseId: CaseRow['id'] }
  verb: string
}

/** What the person may do, because only that can wait for this person. */
export interface May {
  ask: boolean
  start: boolean
  retry: boolean
  approve: boolean
  seeDevices: boolean
}

export interface Known {
  /** Questions that a key of this person can decide. */
  cases: readonly CaseRow[]
  releases: readonly ReleaseRow[]
  pending: number
  silent: number
  active: number
}

/** First what is asked of this person, then what has stopped or failed and what could begin, then devices. */
export function needsFrom({ cases, releases, pending, silent, active }: Known, may: May): Need[] {
  const needs: (Need | undefined)[] = [
    ...cases.map((row) => ({
      key: row.id,
      what: `${caseTitle(row)} waits for your signature`,
      at: { caseId: row.id },
      verb: 'Read and sign',
    })),
    ...releases.map((release) => needOf(release, may)),
    may.approve && pending > 0
      ? {
          key: 'pending',
          what: `${countOf(pending, 'device')} ${pending === 1 ? 'waits' : 'wait'} for approval`,
          at: { query: 'state:pending' },
          verb: 'Look and approve',
        }
      : undefined,
    may.seeDevices && silent > 0
      ? {
          key: 'silent',
          what: `${countOf(silent, 'device')} of ${countOf(active, 'active device')} went quiet`,
          at: { query: 'state:silent' },
          verb: 'Show them',
        }
      : undefined,
  ]
  return needs.filter((need) => need !== undefined)
}

function needOf({ id, title, version, state, rollout }: ReleaseRow, may: May): Need | undefined {
  const what = whatWaits(`${title} ${version}`, state, rollout, may)
  return what === undefined ? undefined : { key: id, what, at: { releaseId: id }, verb: 'Open the cockpit' }
}

function whatWaits(name: string, state: string, rollout: ReleaseRow['rollout'], may: May): string | undefined {
  if (rollout === null) {
    if (state === 'authorised') return may.start ? `${name} is authorised and can start` : undefined
    return may.ask && (state === 'draft' || state === 'planned')
      ? `${name} is planned; its board can be asked`
      : undefined
  }
  if (rollout.state === 'paused' && may.start) return `${name} is paused`
  if (rollout.failures === 0 || rollout.state !== 'running' || !may.retry) return undefined
  return `${countOf(rollout.failures, 'device')} of ${name} failed`
}
