import { expect, test } from 'vitest'
import { stagesOf, type Release } from './cockpit-view.ts'

type Step = Release['lifecycle'][number]

const at = (day: number, hour = 8) => new Date(2026, 10, day, hour).toISOString()
const now = new Date(2026, 10, 25).getTime()

function releaseWith(...lifecycle: Step[]): Release {
  // Stages are made from the lifecycle alone.
  return { lifecycle } as Release
}

test('a stage behind says from when to when, whatever was left out between it and the next', () => {
  const stages = stagesOf(
    releaseWith(
      { key: 'plan', status: 'done', since: at(2) },
      { key: 'build-and-test', status: 'done', since: null },
      { key: 'acceptance', status: 'done', since: null },
      { key: 'rollout', status: 'done', since: at(12) },
      { key: 'early-life', status: 'now', since: at(12, 10) },
      { key: 'review', status: 'ahead', since: null },
    ),
    undefined,
    now,
  )
  expect(stages.map(({ status, note }) => [status, note])).toEqual([
    ['done', '2 Nov – 12 Nov · 10 d'],
    ['left-out', 'left out'],
    ['left-out', 'left out'],
    ['done', '12 Nov · 2 h'],
    ['now', 'since 12 Nov'],
    ['ahead', ''],
  ])
})
