import type { WaitReason } from '@bascule/domain/deliver/agent-step.ts'

const baseMs = 5_000
const capMs = 3_600_000
const pollMs = 60_000
const gateCapMs = 900_000

/**
 * How long until the next look. The network gets decorrelated jitter between 5 s and an hour, a permit that people have
 * to give between a minute and a quarter of an hour (its coming wakes the job before), the rest a steady minute.
 */
export function nextDelayMs(reason: WaitReason, beforeMs: number | null, random: () => number): number {
  if (reason === 'gate') return Math.min(gateCapMs, Math.max(pollMs, backOffMs(beforeMs, random)))
  return reason === 'network' ? backOffMs(beforeMs, random) : pollMs
}

/** Decorrelated jitter: grows on average, never in step with other devices. */
export function backOffMs(beforeMs: number | null, random: () => number): number {
  const top = Math.max(baseMs, (beforeMs ?? baseMs) * 3)
  return Math.min(capMs, baseMs + random() * (top - baseMs))
}
