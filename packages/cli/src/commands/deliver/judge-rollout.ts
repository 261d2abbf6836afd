import type { RolloutSeen } from './rollout-lines.ts'

export type RolloutVerdict =
  | { readonly kind: 'verified' | 'goes-on' }
  | { readonly kind: 'stopped'; readonly rule: string; readonly because: string }

interface Judged {
  readonly state: RolloutSeen['state']
  readonly next: string
  readonly phases: readonly Pick<RolloutSeen['phases'][number], 'order' | 'name' | 'state' | 'verdict'>[]
}

/**
 * What a pipeline does about a rollout: go on, stop, or wait. A pause by a person is not an end; a phase that a rule
 * stopped is one, because only a person can make it go on.
 */
export function judgeRollout({ state, next, phases }: Judged): RolloutVerdict {
  if (state === 'completed' || state === 'completed-with-residual' || state === 'closed') return { kind: 'verified' }
  if (state === 'backing-out' || state === 'backed-out' || state === 'aborted') {
    return { kind: 'stopped', rule: state, because: `The rollout is ${state.replace('-', ' ')}. ${next}` }
  }
  const failed = phases.find((phase) => phase.state === 'failed')
  if (failed === undefined) return { kind: 'goes-on' }
  const because = `Phase ${failed.order} ${failed.name} was stopped. ${failed.verdict.because}`
  return { kind: 'stopped', rule: 'phase-failed', because }
}
