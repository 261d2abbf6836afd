const counts = new Intl.NumberFormat('en-GB')

/** "13,259". */
export function formatCount(count: number): string {
  return counts.format(count)
}

/** A share in percent: whole from ten upwards, one decimal below, never a misleading "0 %". */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '–'
  const percent = (part / whole) * 100
  if (part > 0 && percent < 0.1) return '<0.1 %'
  // A share short of everything must not round up to it.
  if (part < whole && percent > 99) return `${(Math.floor(percent * 10) / 10).toFixed(1)} %`
  return `${percent.toFixed(percent < 10 ? 1 : 0)} %`
}

/** "98.8 %": a rate that is measured, with one decimal. */
export function formatRate(percent: number): string {
  return `${percent.toFixed(1)} %`
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** "1.4 GB", in powers of a thousand. */
export function formatBytes(bytes: number): string {
  const power = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${units[power]}`
}

/** "1 device", "2 devices". */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

const exact = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
})

/** "Wed 25 Nov 2026, 18:00:12 CET" in the viewer's zone. */
export function formatExact(iso: string): string {
  return exact.format(new Date(iso)).replace(/^(\w+),/, '$1')
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })

/** "13:47" in the viewer's zone. */
export function formatClock(iso: string): string {
  return clock.format(new Date(iso))
}

const dayAndClock = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
})
const dayWithYearAndClock = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
})
const dateOnly = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })

/** "Wed 25 Nov, 18:00", with the year only where it is another one than `nowMs`'s. */
export function formatMoment(iso: string, nowMs = Date.now()): string {
  const date = new Date(iso)
  const isThisYear = date.getFullYear() === new Date(nowMs).getFullYear()
  return (isThisYear ? dayAndClock : dayWithYearAndClock).format(date).replace(/^(\w+),/, '$1')
}

const dayOfYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** "25 Nov", with the year only where it is another one than `nowMs`'s. */
export function formatShortDay(iso: string, nowMs: number): string {
  const date = new Date(iso)
  return date.getFullYear() === new Date(nowMs).getFullYear() ? dayOfYear.format(date) : dateOnly.format(date)
}

/** "13:47" today, "25 Nov" on any other day: the narrow form for lists in which the reader can ask for more. */
export function formatClockOrDay(iso: string, nowMs: number): string {
  return isSameDay(iso, nowMs) ? formatClock(iso) : formatShortDay(iso, nowMs)
}

function isSameDay(iso: string, nowMs: number): boolean {
  return new Date(iso).toDateString() === new Date(nowMs).toDateString()
}

/** "25 Nov 2026". */
export function formatDay(iso: string): string {
  return dateOnly.format(new Date(iso))
}

const minuteMs = 60_000

/** Relative under one hour, otherwise the time or the day. `nowMs` is an argument so that a page ticks from one clock. */
export function formatRelative(iso: string, nowMs: number): string {
  const atMs = Date.parse(iso)
  const agoMs = nowMs - atMs
  // The page's clock ticks once a minute, so what has just happened may lie a little ahead of it.
  if (Math.abs(agoMs) < minuteMs) return 'just now'
  const minutes = Math.round(Math.abs(agoMs) / minuteMs)
  if (minutes < 60) return agoMs > 0 ? `${minutes} min ago` : `in ${minutes} min`
  return isSameDay(iso, nowMs) ? formatClock(iso) : formatMoment(iso, nowMs)
}

/** "2 d 4 h", "17 min", "45 s": the two largest units that matter. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}
