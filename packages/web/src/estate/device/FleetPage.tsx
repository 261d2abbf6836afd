import { Chip, Group, Kbd, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useRef, useState } from 'react'
import styles from './FleetPage.module.css'
import { fleetSource, type DeviceRow } from './device-source.ts'
import { useShortcuts } from '#/app/use-shortcuts.ts'
import { AppLink, LinkButton } from '#/ui/AppLink.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { Page } from '#/ui/Page.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { countOf, formatBytes, formatCount } from '#/ui/format.ts'
import { DataTable, type Column } from '#/ui/table/DataTable.tsx'
import { countSelected, everythingSelected, nothingSelected, type Selection } from '#/ui/table/selection.ts'

const typingMs = 200

/** Filters that people ask for every day, as queries they can read and change. */
const quickFilters = [
  { label: 'All', query: '' },
  { label: 'Waits for approval', query: 'state:pending' },
  { label: 'Silent', query: 'state:silent' },
  { label: 'Linux', query: 'os:linux' },
  { label: 'Little disk', query: 'free<2GB' },
] as const

/** Which devices, in which state? */
export function FleetPage() {
  const { q = '', sort = '' } = useSearch({ from: '/shell/fleet' })
  const navigate = useNavigate()
  const [total, setTotal] = useState<number | undefined>()
  const [selection, setSelection] = useState<Selection>(nothingSelected)
  const source = useMemo(() => fleetSource(q, sort), [q, sort])
  function show(change: { q?: string; sort?: string }) {
    const next = { q, sort, ...change }
    setSelection(nothingSelected)
    void navigate({
      to: '/fleet',
      replace: true,
      search: { ...(next.q === '' ? {} : { q: next.q }), ...(next.sort === '' ? {} : { sort: next.sort }) },
    })
  }
  return (
    <Page
      title="Fleet"
      note={total === undefined ? undefined : countOf(total, 'device')}
      fills
      actions={
        <LinkButton variant="default" to="/settings/$section" params={{ section: 'enrolment' }}>
          Enrol devices
        </LinkButton>
      }
    >
      <FleetFilter key={q} query={q} onQuery={(text) => show({ q: text })} />
      <SelectionBar query={q} selection={selection} total={total ?? 0} onSelection={setSelection} />
      <DataTable
        label="Devices"
        columns={columns}
        source={source}
        idOf={(row) => row.id}
        nameOf={(row) => row.name}
        onOpen={(row) => void navigate({ to: '/fleet/$deviceId', params: { deviceId: row.id } })}
        order={sort}
        onOrder={(order) => show({ sort: order })}
        selection={selection}
        onSelection={setSelection}
        onTotal={setTotal}
        empty={<NoDevices query={q} />}
      />
    </Page>
  )
}

function FleetFilter({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  const input = useRef<HTMLInputElement>(null)
  const change = useDebouncedCallback(onQuery, typingMs)
  useShortcuts([{ keys: 'f', words: 'Filter the fleet', run: () => input.current?.focus() }])
  return (
    <div className={styles.filter}>
      <TextInput
        ref={input}
        size="xs"
        w={340}
        maw="100%"
        defaultValue={query}
        onChange={(event) => change(event.currentTarget.value.trim())}
        leftSection={<IconSearch size={14} aria-hidden />}
        rightSection={<Kbd size="xs">F</Kbd>}
        placeholder="os:linux site:leeds free<2GB"
        aria-label="Filter devices"
      />
      <Chip.Group value={query} onChange={(next) => onQuery(next)}>
        <Group gap={6}>
          {quickFilters.map((filter) => (
            <Chip key={filter.label} value={filter.query} size="xs" radius={6} variant="outline">
              {filter.label}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </div>
  )
}

interface SelectionBarProps {
  query: string
  selection: Selection
  total: number
  onSelection: (selection: Selection) => void
}

/** What is selected, and the step from the rows at hand to everything that matches. */
function SelectionBar({ query, selection, total, onSelection }: SelectionBarProps) {
  const count = countSelected(selection, total)
  if (count === 0) return null
  return (
    <div className={styles.selection} aria-live="polite">
      <b className="num">{formatCount(count)}</b> selected
      {selection.kind === 'some' ? (
        <button type="button" onClick={() => onSelection(everythingSelected)}>
          Select all {formatCount(total)} that match
        </button>
      ) : (
        <span className="mono">{query === '' ? 'every device' : query}</span>
      )}
      <button type="button" onClick={() => onSelection(nothingSelected)}>
        Clear
      </button>
    </div>
  )
}

function NoDevices({ query }: { query: string }) {
  if (query !== '') {
    return (
      <EmptyState action={<AppLink to="/fleet">Clear filter</AppLink>}>
        No device matches <span className="mono">{query}</span>.
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

const columns: Column<DeviceRow>[] = [
  {
    id: 'name',
    header: 'Device',
    width: 160,
    canSort: true,
    cell: (row) => (
      <Link to="/fleet/$deviceId" params={{ deviceId: row.id }} className="mono">
        {row.name}
      </Link>
    ),
  },
  {
    id: 'state',
    header: 'State',
    width: 130,
    canSort: true,
    cell: (row) => <StateTag machine="device" state={row.state} />,
  },
  { id: 'site', header: 'Site', width: 110, canSort: true, cell: (row) => row.site ?? '' },
  { id: 'org', header: 'Org unit', width: 130, canSort: true, cell: (row) => row.orgUnit ?? '' },
  { id: 'role', header: 'Role', width: 110, cell: (row) => row.roles.join(', ') },
  { id: 'os', header: 'OS', width: 150, canSort: true, cell: (row) => row.os },
  { id: 'agent', header: 'Agent', width: 80, cell: (row) => <span className="num">{row.agentVersion}</span> },
  {
    id: 'free',
    header: 'Free disk',
    width: 90,
    canSort: true,
    cell: (row) => <span className="num">{row.freeDiskBytes === null ? '' : formatBytes(row.freeDiskBytes)}</span>,
  },
  {
    id: 'seen',
    header: 'Last seen',
    width: 110,
    canSort: true,
    cell: (row) =>
      row.lastSeenAt === null ? <span className="dim">never</span> : <RelativeTime at={row.lastSeenAt} />,
  },
]
