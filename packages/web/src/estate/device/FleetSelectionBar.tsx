import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import styles from './FleetPage.module.css'
import type { FleetFilter } from './device-source.ts'
import type { DeviceSelection } from './use-device-acts.ts'
import { refusalWords, workWords } from './fleet-work.ts'
import { client, orpc } from '#/api/client.ts'
import { formatCount } from '#/ui/format.ts'
import { countSelected, everythingSelected, nothingSelected, type Selection } from '#/ui/table/selection.ts'

// Nobody acts before something is chosen, so its forms need not come with the page.
const DeviceActs = lazy(async () => ({ default: (await import('./DeviceActs.tsx')).DeviceActs }))

interface FleetSelectionBarProps {
  filter: FleetFilter
  selection: Selection
  total: number
  onSelection: (selection: Selection) => void
}

/** As many devices as an act takes by name; more are told by their query. */
const byNameMax = 1000

/** What is selected, the step from the rows at hand to everything that matches, and what can be done to it. */
export function FleetSelectionBar({ filter, selection, total, onSelection }: FleetSelectionBarProps) {
  const count = countSelected(selection, total)
  const devices = useSelectedDevices(filter, selection, total)
  if (count === 0) return null
  return (
    <div className={styles.selection}>
      <span aria-live="polite">
        <b className="num">{formatCount(count)}</b> selected
      </span>
      {selection.kind === 'some' ? (
        <button type="button" onClick={() => onSelection(everythingSelected)}>
          Select all {formatCount(total)} that match
        </button>
      ) : (
        <span className="mono">{filterWords(filter)}</span>
      )}
      <button type="button" onClick={() => onSelection(nothingSelected)}>
        Clear
      </button>
      <span className={styles.acts}>
        {devices === 'too-many' ? (
          <span>An act on a group of work takes {formatCount(byNameMax)} devices at a time; narrow the filter.</span>
        ) : devices === undefined ? null : (
          <Suspense>
            <DeviceActs devices={devices} count={count} onDone={() => onSelection(nothingSelected)} />
          </Suspense>
        )}
      </span>
    </div>
  )
}

function filterWords({ query, work, release, refusal }: FleetFilter): string {
  const words = [
    work === '' ? '' : workWords[work],
    refusal === '' ? '' : refusalWords(refusal),
    release,
    query,
  ].filter((word) => word !== '')
  return words.length === 0 ? 'every device' : words.join(' ')
}

/** All that match is a stored filter. Only what the query language cannot say, a group of work, is named one by one. */
function useSelectedDevices(
  { query, work, release, refusal }: FleetFilter,
  selection: Selection,
  total: number,
): DeviceSelection | 'too-many' | undefined {
  const isByName = selection.kind === 'all-matching' && (work !== '' || release !== '' || refusal !== '')
  const named = useQuery({
    queryKey: [...orpc.views.fleet.key(), 'ids', query, work, release, refusal],
    enabled: isByName && total <= byNameMax,
    queryFn: ({ signal }) => loadIds({ query, work, release, refusal, order: '' }, signal),
  })
  if (selection.kind === 'some') {
    return selection.ids.size > byNameMax ? 'too-many' : { deviceIds: [...selection.ids] }
  }
  if (!isByName) return { query, except: [...selection.except] }
  if (total > byNameMax) return 'too-many'
  const ids = named.data?.filter((id) => !selection.except.has(id))
  return ids === undefined ? undefined : { deviceIds: ids }
}

async function loadIds({ query, work, release, refusal }: FleetFilter, signal: AbortSignal): Promise<string[]> {
  const filter = {
    query,
    ...(work === '' ? {} : { work }),
    ...(release === '' ? {} : { release }),
    ...(refusal === '' ? {} : { refusal }),
    limit: 500,
  }
  const first = await client.views.fleet.list(filter, { signal })
  const second =
    first.next === undefined ? [] : (await client.views.fleet.list({ ...filter, after: first.next }, { signal })).items
  return [...first.items, ...second].map((row) => row.id)
}
