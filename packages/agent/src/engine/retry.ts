import type { WaitReason } from '@bascule/domain/deliver/agent-step.ts'

const baseMs = 5_000
const capMs = 3_600_000
const pollMs = 60_000

/** How long until the next look. The network gets decorrelated jitter between 5 s and an hour, the rest a steady minute. */
export function nextDelayMs(reason: WaitReason, beforeMs: number | null, random: () => number): number {
  return reason === 'network' ? backOffMs(beforeMs, random) : pollMs
}

/** Decorrelated jitter: grows on average, never in step with other devices. */
export function backOffMs(beforeMs: number | null, random: () => number): number {
  const top = Math.max(baseMs, (beforeMs ?? baseMs) * 3)
  return Math.min(capMs, baseMs + random() * (top - baseMs))
}
