import { expect, onTestFinished, test, vi } from 'vitest'
import { keptColumns, readFleetSearch, searchFrom, shownFrom } from './fleet-address.ts'
import { colsOf, columnsShown } from './fleet-columns.tsx'
import { isShown, searchOf, shownOf, type SavedView } from './saved-view.ts'

const view: SavedView = {
  id: '0190a000-0000-7000-8000-000000000001' as SavedView['id'],
  name: 'Quiet tills',
  query: 'role:till',
  order: '-seen',
  work: 'failed',
  releaseId: null,
  columns: ['name', 'site'],
  version: 1,
  createdAt: '2026-11-01T00:00:00Z',
}

test('what an address says comes back as the same address', () => {
  const search = {
    q: 'os:linux',
    sort: '-seen',
    work: 'failed',
    refusal: 'QUORUM',
    cols: 'name,site',
    view: 'x',
  } as const
  expect(searchFrom(shownFrom(readFleetSearch(search)))).toEqual(search)
  expect(readFleetSearch({})).toEqual({})
})

test('what an address cannot say is left out of it', () => {
  expect(readFleetSearch({ work: 'dancing', refusal: 'drop table', cols: 'name;drop', q: 7 })).toEqual({})
})

test('what a browser kept and no address can say is not kept, or its page would be led to itself for ever', () => {
  onTestFinished(() => void vi.unstubAllGlobals())
  const keeps = (kept: string) => vi.stubGlobal('localStorage', { getItem: () => kept })
  keeps('name,site')
  expect(keptColumns()).toBe('name,site')
  keeps('["name"]')
  expect(keptColumns()).toBe('')
})

test('the usual columns need no words, others stand in the order of the page, and the name always stands there', () => {
  const usual = columnsShown('').map((column) => column.id)
  expect(colsOf(usual)).toBe('')
  expect(colsOf(['seen', 'site'])).toBe('name,site,seen')
  expect(columnsShown('seen,site,invented').map((column) => column.id)).toEqual(['name', 'site', 'seen'])
})

test('a saved view opens as it was saved, and a change of it is seen', () => {
  expect(searchOf(view)).toEqual({
    q: 'role:till',
    sort: '-seen',
    work: 'failed',
    cols: 'name,site',
    view: view.id,
  })
  expect(isShown(view, shownOf(view))).toBe(true)
  expect(isShown(view, { ...shownOf(view), order: 'name' })).toBe(false)
})
