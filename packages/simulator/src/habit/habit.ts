import { between, lot } from './lot.ts'

export const onlineKinds = ['always', 'office', 'mixed'] as const
export type OnlineKind = (typeof onlineKinds)[number]

/** How one device lives. Times are simulated seconds, hours are those of the day in UTC. */
export interface Habit {
  readonly online: { readonly fromHour: number; readonly hours: number }
  readonly linkBytesPerSecond: number
  readonly diskFreeBytes: number
  readonly installSeconds: number
  readonly checkSeconds: number
}

const allDay = { fromHour: 0, hours: 24 }

/** The habit of a device. Office machines are on for a working day, each with a beginning of its own; servers always. */
export function habitOf(seed: number, device: number, kind: OnlineKind): Habit {
  const isOffice = kind === 'office' || (kind === 'mixed' && lot(seed, 'office', device) < 0.8)
  const officeHours = { fromHour: 6 + lot(seed, 'from', device) * 4, hours: 7 + lot(seed, 'hours', device) * 4 }
  return {
    online: isOffice ? officeHours : allDay,
    linkBytesPerSecond: between(250_000, 25_000_000, seed, 'link', device),
    diskFreeBytes: Math.floor(between(2e9, 400e9, seed, 'disk', device) / 250e6) * 250e6,
    installSeconds: between(2, 40, seed, 'install', device),
    checkSeconds: between(1, 10, seed, 'check', device),
  }
}

const dayMs = 86_400_000
const hourMs = 3_600_000

/** When a device can be reached at the earliest: now while it is online, otherwise when its next day begins. */
export function onlineFromMs({ online }: Habit, nowMs: number): number {
  if (online.hours >= 24) return nowMs
  const sinceStartMs = (((nowMs - online.fromHour * hourMs) % dayMs) + dayMs) % dayMs
  return sinceStartMs < online.hours * hourMs ? nowMs : nowMs + dayMs - sinceStartMs
}
