import { SegmentedControl } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { BaselinesView } from './BaselinesView.tsx'
import { ItemsView } from './ItemsView.tsx'
import { changeColumns, itemColumn } from './change-columns.tsx'
import styles from './ConfigurationPage.module.css'
import { driftColumns } from './drift-columns.tsx'
import { client, orpc } from '#/api/client.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { Page } from '#/ui/Page.tsx'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

const views = [
  { value: 'items', label: 'Items' },
  { value: 'changes', label: 'Changes' },
  { value: 'baselines', label: 'Baselines' },
  { value: 'drift', label: 'Drift' },
]

const pageRows = 100

/** What is there, how it hangs together, how it became so, and where it differs. */
export function ConfigurationPage() {
  const { view = 'items' } = useSearch({ from: '/shell/fleet/cmdb' })
  const navigate = useNavigate()
  return (
    <Page title="CMDB" trail={<AppLink to="/fleet">Fleet</AppLink>}>
      <div className={styles.views}>
        <SegmentedControl
          size="xs"
          aria-label="What of the CMDB"
          data={views}
          value={view}
          onChange={(next) => void navigate({ to: '/fleet/cmdb', search: next === 'items' ? {} : { view: next } })}
        />
      </div>
      {view === 'changes' ? <ChangesView /> : null}
      {view === 'baselines' ? <BaselinesView /> : null}
      {view === 'drift' ? <DriftView /> : null}
      {view === 'items' ? <ItemsView /> : null}
    </Page>
  )
}

function ChangesView() {
  const list = useKeysetList([...orpc.estate.configuration.key(), 'changes'], (after, signal) =>
    client.estate.configuration.history({ limit: pageRows, ...after }, { signal }),
  )
  return (
    <KeysetTable
      label="Changes"
      list={list}
      idOf={(change) => String(change.id)}
      columns={[itemColumn, ...changeColumns]}
      empty={<EmptyState>Nothing has changed yet. Each verified install writes one line here.</EmptyState>}
    />
  )
}

function DriftView() {
  const list = useKeysetList([...orpc.estate.configuration.key(), 'drift'], (after, signal) =>
    client.estate.configuration.drift({ limit: pageRows, ...after }, { signal }),
  )
  return (
    <KeysetTable
      label="Drift"
      list={list}
      idOf={(row) => `${row.deviceId} ${row.package}`}
      columns={driftColumns}
      empty={
        <EmptyState>
          Every device reports what the CMDB says of it; there is nothing to do. A difference would stand here from the
          next check-in.
        </EmptyState>
      }
    />
  )
}
