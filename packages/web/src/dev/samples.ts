import type { Cause } from '#/ui/CauseList.tsx'
import type { DeviceBucket } from '#/ui/DeviceBar.tsx'
import type { Stage } from '#/ui/lifecycle.ts'
import type { Problem } from '#/ui/problem.ts'
import type { BlockSource } from '#/ui/table/use-blocks.ts'

// Samples of the page of components only. Nothing else may import this file; a check of the house would find it.

export const sampleCounts: Record<DeviceBucket, number> = {
  verified: 1126,
  'already-present': 12,
  installing: 96,
  downloading: 212,
  offered: 388,
  blocked: 9,
  silent: 3,
  failed: 14,
  'backed-out': 2,
  excused: 1,
  'not-applicable': 0,
  cancelled: 0,
  superseded: 0,
  'not-started': 4,
}

export const sampleCauses: Cause[] = [
  { healer: 'by-itself', what: 'Old client still running', hint: 'Retries at next logon', count: 3 },
  { healer: 'user', what: 'Disk full, 1.4 GB needed', hint: 'Needs space on the drive', count: 9 },
  { healer: 'desk', what: 'Rights missing on /opt', hint: 'A service account lost its rights', count: 2 },
  {
    healer: 'engineer',
    what: 'Health check failed',
    hint: 'Exit code 3 after 12 s',
    count: 1,
    oldestAt: '2026-11-23T08:41:00Z',
  },
]

export const sampleStages: Stage[] = [
  { key: 'plan', status: 'done', note: '2 Oct – 13 Oct · 11 d' },
  { key: 'build-and-test', status: 'done', note: '14 Oct – 6 Nov · 23 d' },
  { key: 'acceptance', status: 'left-out', note: 'left out' },
  { key: 'rollout', status: 'now', note: 'since 18 Nov · phase 2 of 4', donePercent: 34 },
  { key: 'early-life', status: 'ahead', note: '' },
  { key: 'review', status: 'ahead', note: '' },
]

export const sampleRefusal: Problem = {
  kind: 'refused',
  what: 'No big bang for the first release of its type',
  fact: 'The plan reaches 100 % of the audience in phase 1.',
  lifter: 'the release board',
  next: 'Add a pilot phase, or ask for an exception.',
}

export interface SampleRow {
  name: string
  state: string
  site: string
  version: string
}

const states = ['succeeded', 'installing', 'offered', 'failed-needs-human', 'assigned'] as const
const sites = ['Leeds', 'Graz', 'Porto', 'Wien', 'Köln'] as const
const blockSize = 100

function rowAt(index: number): SampleRow {
  return {
    name: `sample-${String(index).padStart(6, '0')}`,
    state: states[(index * 7) % states.length] ?? 'assigned',
    site: sites[(index * 3) % sites.length] ?? 'Leeds',
    version: index % 3 === 0 ? '4.2.0' : '4.1.3',
  }
}

/** Answers like a server would, from arithmetic. */
export function sampleBlocks(total: number, order: string): BlockSource<SampleRow> {
  const isReversed = order.startsWith('-')
  return {
    queryKey: ['sample', total, order],
    loadAnchors: () =>
      Promise.resolve({
        total,
        blockSize,
        cursors: Array.from({ length: Math.ceil(total / blockSize) - 1 }, (_, index) =>
          String((index + 1) * blockSize),
        ),
      }),
    loadBlock: (after, limit) =>
      Promise.resolve(
        Array.from({ length: limit }, (_, index) => {
          const position = Number(after ?? 0) + index
          return rowAt(isReversed ? total - 1 - position : position)
        }),
      ),
  }
}
