export interface ServiceHours {
  days: number[]
  from: string
  until: string
}

const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const linePattern = /^([a-z]{3})(?:\s*[-–]\s*([a-z]{3}))?\s+(\d\d:\d\d)\s*[-–]\s*(\d\d:\d\d)$/i

/** "Mon-Fri 08:00-18:00, Sat 09:00-12:00"; empty where nothing is promised. */
export function hoursText(hours: readonly ServiceHours[]): string {
  return hours.flatMap(({ days, from, until }) => rowsOf(days).map((row) => `${row} ${from}-${until}`)).join(', ')
}

/** The same backwards. A part that is none is passed on as it is written, so that the server says what is wrong with it. */
export function hoursFrom(text: string): ServiceHours[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(hoursOfPart)
}

function hoursOfPart(part: string): ServiceHours {
  const [, first = '', last = first, from = '', until = ''] = linePattern.exec(part) ?? []
  const start = dayNumber(first)
  const end = dayNumber(last === '' ? first : last)
  if (start === 0 || end < start) return { days: [], from: part, until: '' }
  return { days: Array.from({ length: end - start + 1 }, (_, index) => start + index), from, until }
}

function dayNumber(name: string): number {
  return dayNames.findIndex((day) => day.toLowerCase() === name.toLowerCase()) + 1
}

/** Days in a row as "Mon-Fri", others one by one. */
function rowsOf(days: readonly number[]): string[] {
  const sorted = days.toSorted((a, b) => a - b)
  const [first = 1] = sorted
  const last = sorted.at(-1) ?? first
  const nameOf = (day: number) => dayNames[day - 1] ?? ''
  if (sorted.length < 2 || last - first !== sorted.length - 1) return sorted.map(nameOf)
  return [`${nameOf(first)}-${nameOf(last)}`]
}
