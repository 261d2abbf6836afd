import { setTimeout as pause } from 'node:timers/promises'
import type { Demo } from './demo.ts'
import { isOver } from './progress.ts'
import type { RolloutProgress } from './progress.ts'

export interface WatchOptions {
  readonly show: (progress: RolloutProgress) => void
  readonly signal: AbortSignal
}

/** Looks at the demo's rollout every second until it is over; returns how it ended, or undefined when told to stop looking. */
export async function watchRelease({ api, state }: Demo, options: WatchOptions): Promise<RolloutProgress | undefined> {
  while (!options.signal.aborted) {
    const progress = await api.get<RolloutProgress>(`/releases/${state.releaseId}/rollout`)
    options.show(progress)
    if (isOver(progress)) return progress
    await pause(1000, undefined, { signal: options.signal }).catch(() => {}) // Told to stop: the loop sees it.
  }
  return undefined
}
