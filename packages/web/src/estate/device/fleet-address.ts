import type { FleetFilter, FleetWork } from './device-source.ts'
import { isFleetWork } from './fleet-work.ts'

/** What the page of the fleet shows, as it stands in its address. */
export interface FleetSearch {
  q?: string
  sort?: string
  release?: string
  work?: FleetWork
  /** `THRESHOLD`, or `any`. */
  refusal?: string
  /** `name,site,seen`; nothing for the columns that usually stand there. */
  cols?: string
  /** The saved view that was opened last; the rest may have changed since. */
  view?: string
}

/** The same with a value for everything. */
export interface FleetShown extends FleetFilter {
  cols: string
  view: string
}

export function shownFrom(search: FleetSearch): FleetShown {
  const { q = '', sort = '', release = '', work = '', refusal = '', cols = '', view = '' } = search
  return { query: q, order: sort, release, work, refusal, cols, view }
}

export function searchFrom({ query, order, release, work, refusal, cols, view }: FleetShown): FleetSearch {
  return {
    ...(query === '' ? {} : { q: query }),
    ...(order === '' ? {} : { sort: order }),
    ...(release === '' ? {} : { release }),
    ...(work === '' ? {} : { work }),
    ...(refusal === '' ? {} : { refusal }),
    ...(cols === '' ? {} : { cols }),
    ...(view === '' ? {} : { view }),
  }
}

/** What an address says, without what it cannot say. */
export function readFleetSearch(search: Record<string, unknown>): FleetSearch {
  const text = (key: string) => (typeof search[key] === 'string' ? search[key] : '')
  const work = search['work']
  return searchFrom({
    query: text('q'),
    order: text('sort'),
    release: text('release'),
    work: isFleetWork(work) ? work : '',
    refusal: refusalIn(text('refusal')),
    cols: colsIn(text('cols')),
    view: text('view'),
  })
}

/** Empty for a text that is no code of a refusal. */
function refusalIn(text: string): string {
  return /^(?:any|[A-Z]{2,40})$/.test(text) ? text : ''
}

/** Empty for a text that is no list of columns. */
function colsIn(text: string): string {
  return /^[a-z-]+(?:,[a-z-]+)*$/.test(text) ? text : ''
}

const keptAt = 'bascule.fleet.columns'

/** The columns that this browser showed last, as an address can say them; empty for the usual ones. */
export function keptColumns(): string {
  try {
    return colsIn(localStorage.getItem(keptAt) ?? '')
  } catch {
    return '' // Storage can be switched off; then the usual columns stand there each time.
  }
}

export function keepColumns(cols: string): void {
  try {
    if (cols === '') localStorage.removeItem(keptAt)
    else localStorage.setItem(keptAt, cols)
  } catch {
    // Storage can be switched off; the address still says them.
  }
}
