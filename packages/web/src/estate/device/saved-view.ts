import { searchFrom, type FleetSearch, type FleetShown } from './fleet-address.ts'
import { isFleetWork } from './fleet-work.ts'
import type { Client } from '#/api/client.ts'

export type SavedView = Awaited<ReturnType<Client['estate']['savedView']['list']>>[number]

/** What the API keeps of what the page shows. */
export function showsOf({ query, order, work, release, cols }: FleetShown) {
  return {
    query,
    order,
    work: work === '' ? null : work,
    releaseId: release === '' ? null : release,
    columns: cols === '' ? [] : cols.split(','),
  }
}

/** What the page shows when a view is opened. */
export function shownOf({ id, query, order, work, releaseId, columns }: SavedView): FleetShown {
  return {
    query,
    order,
    work: isFleetWork(work) ? work : '',
    refusal: '',
    release: releaseId ?? '',
    cols: columns.join(),
    view: id,
  }
}

export function searchOf(view: SavedView): FleetSearch {
  return searchFrom(shownOf(view))
}

/** Whether the page still shows what the view holds. */
export function isShown(view: SavedView, shown: FleetShown): boolean {
  return JSON.stringify(searchFrom({ ...shown, view: view.id })) === JSON.stringify(searchOf(view))
}
