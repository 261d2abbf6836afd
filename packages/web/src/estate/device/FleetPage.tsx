import { Chip, Group, Kbd, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useMemo, useRef, useState } from 'react'
import styles from './FleetPage.module.css'
import { ColumnsMenu } from './ColumnsMenu.tsx'
import { FleetSelectionBar } from './FleetSelectionBar.tsx'
import { fleetSource, type FleetFilter } from './device-source.ts'
import { columnsShown } from './fleet-columns.tsx'
import { keepColumns, searchFrom, shownFrom, type FleetShown } from './fleet-address.ts'
import { RefusalLine } from './RefusalLine.tsx'
import { SavedViews } from './SavedViews.tsx'
import { SaveViewButton } from './SaveViewButton.tsx'
import { shownOf } from './saved-view.ts'
import { refusalWords, workWords } from './fleet-work.ts'
import { orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { useShortcuts } from '#/app/use-shortcuts.ts'
import { AppLink, LinkButton } from '#/ui/AppLink.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { Page } from '#/ui/Page.tsx'
import { countOf } from '#/ui/format.ts'
import { DataTable } from '#/ui/table/DataTable.tsx'
import { nothingSelected, type Selection } from '#/ui/table/selection.ts'

const SaveAudienceButton = lazy(async () => ({
  default: (await import('./SaveAudienceButton.tsx')).SaveAudienceButton,
}))

const typingMs = 200

/** What people ask for every day: by work, or as a query that they can read and change. */
const quickFilters: readonly { key: string; label: string; change: Partial<FleetFilter> }[] = [
  { key: 'all', label: 'All', change: { query: '', work: '', refusal: '' } },
  { key: 'failed', label: 'Failed', change: { work: 'failed', refusal: '' } },
  { key: 'blocked', label: 'Blocked', change: { work: 'blocked', refusal: '' } },
  { key: 'installing', label: 'Installing', change: { work: 'installing', refusal: '' } },
  { key: 'offered', label: 'Offered', change: { work: 'offered', refusal: '' } },
  { key: 'verified', label: 'Verified', change: { work: 'verified', refusal: '' } },
  { key: 'silent', label: 'Silent', change: { query: 'state:silent', work: '', refusal: '' } },
  { key: 'pending', label: 'Waits for approval', change: { query: 'state:pending', work: '', refusal: '' } },
]

/** Which devices, in which state? */
export function FleetPage() {
  const search = useSearch({ from: '/shell/fleet' })
  const navigate = useNavigate()
  const [total, setTotal] = useState<number | undefined>()
  const [selection, setSelection] = useState<Selection>(nothingSelected)
  const shown = useMemo(() => shownFrom(search), [search])
  const { query, order, release, work, refusal, cols } = shown
  const filter = useMemo<FleetFilter>(
    () => ({ query, order, release, work, refusal }),
    [query, order, release, work, refusal],
  )
  const source = useMemo(() => fleetSource(filter), [filter])
  const columns = useMemo(() => columnsShown(cols), [cols])
  function show(change: Partial<FleetShown>) {
    setSelection(nothingSelected)
    void navigate({ to: '/fleet', replace: true, search: searchFrom({ ...shown, ...change }) })
  }
  function showColumns(next: string) {
    // Within a saved view they are part of the view.
    if (shown.view === '') keepColumns(next)
    show({ cols: next })
  }
  return (
    <Page
      title="Fleet"
      note={total === undefined ? undefined : countOf(total, 'device')}
      fills
      actions={
        <>
          <Elsewhere />
          <ColumnsMenu cols={cols} onCols={showColumns} />
          <SaveViewButton shown={shown} onSaved={(view) => show(shownOf(view))} />
        </>
      }
    >
      <SavedViews shown={shown} onShow={show} />
      <FilterLine key={query} filter={filter} onShow={show} />
      <RefusalLine release={release} refusal={refusal} onShow={show} />
      {release === '' ? null : <ReleaseLine release={release} onClear={() => show({ release: '' })} />}
      <FleetSelectionBar filter={filter} selection={selection} total={total ?? 0} onSelection={setSelection} />
      <DataTable
        label="Devices"
        columns={columns}
        source={source}
        idOf={(row) => row.id}
        nameOf={(row) => row.name}
        onOpen={(row) => void navigate({ to: '/fleet/$deviceId', params: { deviceId: row.id } })}
        order={order}
        onOrder={(next) => show({ order: next })}
        selection={selection}
        onSelection={setSelection}
        onTotal={setTotal}
        empty={<NoDevices filter={filter} />}
      />
    </Page>
  )
}

/** What belongs to the fleet and has a page of its own. */
function Elsewhere() {
  const canReadCmdb = useCan('configuration.read')
  const canEnrol = useCan('device.enrol')
  return (
    <>
      {canReadCmdb ? (
        <LinkButton variant="subtle" color="gray" to="/fleet/cmdb">
          CMDB
        </LinkButton>
      ) : null}
      {canEnrol ? (
        <LinkButton variant="subtle" color="gray" to="/settings/$section" params={{ section: 'enrolment' }}>
          Enrol devices
        </LinkButton>
      ) : null}
    </>
  )
}

interface FilterLineProps {
  filter: FleetFilter
  onShow: (change: Partial<FleetFilter>) => void
}

function FilterLine({ filter, onShow }: FilterLineProps) {
  const input = useRef<HTMLInputElement>(null)
  const change = useDebouncedCallback((query: string) => onShow({ query }), typingMs)
  useShortcuts([{ keys: 'f', words: 'Filter the fleet', run: () => input.current?.focus() }])
  const chosen = quickFilters.find(({ change: wanted }) =>
    filter.refusal !== ''
      ? false
      : filter.work === ''
        ? wanted.work === '' && wanted.query === filter.query
        : wanted.work === filter.work,
  )
  return (
    <div className={styles.filter}>
      <TextInput
        ref={input}
        size="xs"
        className={styles.query}
        defaultValue={filter.query}
        onChange={(event) => change(event.currentTarget.value.trim())}
        leftSection={<IconSearch size={14} aria-hidden />}
        rightSection={
          <Kbd size="xs" visibleFrom="sm">
            F
          </Kbd>
        }
        placeholder="os:linux site:leeds free<2GB"
        aria-label="Filter devices"
      />
      <Chip.Group
        value={chosen?.key ?? ''}
        onChange={(key) => onShow(quickFilters.find((each) => each.key === key)?.change ?? {})}
      >
        <Group gap={6} className={styles.quick}>
          {quickFilters.map((each) => (
            <Chip key={each.key} value={each.key} size="xs" radius={6} variant="outline">
              {each.label}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <Suspense>{filter.query === '' ? null : <SaveAudienceButton query={filter.query} />}</Suspense>
    </div>
  )
}

/** That only one release's devices are shown, and the way out of it. */
function ReleaseLine({ release, onClear }: { release: string; onClear: () => void }) {
  const found = useQuery(orpc.plan.release.get.queryOptions({ input: { releaseId: release } }))
  const name = found.data === undefined ? release : `${found.data.title} ${found.data.version}`
  return (
    <p className={styles.release}>
      Only devices of{' '}
      <AppLink to="/releases/$releaseId" params={{ releaseId: release }} fz="inherit">
        {name}
      </AppLink>{' '}
      <button type="button" onClick={onClear}>
        Show all
      </button>
    </p>
  )
}

function NoDevices({ filter: { query, work, release, refusal } }: { filter: FleetFilter }) {
  if (query !== '' || work !== '' || release !== '' || refusal !== '') {
    return (
      <EmptyState action={<AppLink to="/fleet">Clear filter</AppLink>}>
        No device matches {work === '' ? null : <b>{workWords[work]} </b>}
        {refusal === '' ? null : <b>{refusalWords(refusal)} </b>}
        {query === '' ? null : <span className="mono">{query}</span>}
        {release === '' ? '.' : ` in ${release}.`}
      </EmptyState>
    )
  }
  return (
    <EmptyState
      action={
        <AppLink to="/settings/$section" params={{ section: 'enrolment' }}>
          Make an enrolment token
        </AppLink>
      }
    >
      No device yet. A device appears here when its agent starts with an enrolment token.
    </EmptyState>
  )
}
