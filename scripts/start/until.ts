import { setTimeout as pause } from 'node:timers/promises'

/** Asks again every quarter of a second until the answer is yes; throws with what was awaited when the time is over. */
export async function until(what: string, ask: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const endsAt = performance.now() + timeoutMs
  while (!(await ask())) {
    if (performance.now() > endsAt) throw new Error(`Waited ${timeoutMs / 1000} s in vain until ${what}.`)
    await pause(250)
  }
}
