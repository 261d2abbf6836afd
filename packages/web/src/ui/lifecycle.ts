export type StageKey = 'plan' | 'build-and-test' | 'acceptance' | 'rollout' | 'early-life' | 'review'

const stageWords: Record<StageKey, string> = {
  plan: 'Plan',
  'build-and-test': 'Build & test',
  acceptance: 'Acceptance',
  rollout: 'Rollout',
  'early-life': 'Early life',
  review: 'Review',
}

/** The gate at the end of each stage; the last stage ends the release and has none. */
const gateWords: Partial<Record<StageKey, string>> = {
  plan: 'Scope gate',
  'build-and-test': 'Test gate',
  acceptance: 'Acceptance gate',
  rollout: 'Rollout gate',
  'early-life': 'Handover gate',
}

export interface Stage {
  key: StageKey
  /** `left-out` lies behind the release, which did not go through it. */
  status: 'done' | 'left-out' | 'now' | 'ahead'
  /** Under the name: dates, or what is going on. */
  note: string
  /** Of the stage that is now. */
  donePercent?: number | undefined
}

export interface StageGate {
  label: string
  /** Whether the release has gone past it; nobody signs gates yet. */
  isBehind: boolean
}

export function stageName(key: StageKey): string {
  return stageWords[key]
}

/** The gate between a stage and the next, or none after the last. */
export function gateAfter(stage: Stage): StageGate | undefined {
  const word = gateWords[stage.key]
  if (word === undefined) return undefined
  const isBehind = stage.status === 'done' || stage.status === 'left-out'
  return { label: `${word}: ${isBehind ? 'not signed' : 'ahead'}. Gates are signed in a later version`, isBehind }
}
