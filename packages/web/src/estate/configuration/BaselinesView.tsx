import { Button, Select } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconCamera } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import styles from './ConfigurationPage.module.css'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { DigestText } from '#/ui/DigestText.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { RecordDialog, type Values } from '#/ui/form/RecordDialog.tsx'
import { countOf, formatCount, formatMoment } from '#/ui/format.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type Baseline = Awaited<ReturnType<Client['estate']['configuration']['baselines']>>['items'][number]

const pageRows = 100

/** What devices ran at a moment, kept for ever; two of them side by side say what a release changed. */
export function BaselinesView() {
  const [isTaking, taking] = useDisclosure()
  const canTake = useCan('configuration.write')
  const queries = useQueryClient()
  const list = useKeysetList([...orpc.estate.configuration.key(), 'baselines'], (after, signal) =>
    client.estate.configuration.baselines({ limit: pageRows, ...after }, { signal }),
  )
  const take = useMutation({
    mutationFn: ({ label = '', query = '' }: Values) => client.estate.configuration.takeBaseline({ label, query }),
    onSuccess: async () => {
      taking.close()
      await queries.invalidateQueries({ queryKey: orpc.estate.configuration.key() })
    },
  })
  return (
    <div className={styles.stack}>
      {canTake ? (
        <div>
          <Button variant="default" leftSection={<IconCamera size={15} />} onClick={taking.open}>
            Take baseline
          </Button>
        </div>
      ) : null}
      <KeysetTable
        label="Baselines"
        list={list}
        idOf={(baseline) => baseline.id}
        columns={columns}
        empty={<EmptyState>No baseline yet. Take one before a release and compare it after.</EmptyState>}
      />
      {list.rows === undefined || list.rows.length === 0 ? null : <Comparison baselines={list.rows} />}
      <RecordDialog
        isOpen={isTaking}
        onClose={taking.close}
        title="Take baseline"
        verb="Take baseline"
        fields={[
          { name: 'label', label: 'Label', description: 'Before page builder 0.28', isRequired: true },
          { name: 'query', label: 'Devices', description: 'A query; empty means every device' },
        ]}
        error={take.error}
        isBusy={take.isPending}
        onSubmit={(values) => take.mutate(values)}
      />
    </div>
  )
}

const columns: ListColumn<Baseline>[] = [
  { header: 'Label', cell: (row) => <b>{row.label}</b> },
  { header: 'Taken', cell: (row) => formatMoment(row.at) },
  { header: 'Devices', isNumber: true, cell: (row) => formatCount(row.devices) },
  { header: 'Entries', isNumber: true, isMinor: true, cell: (row) => formatCount(row.entries) },
  {
    header: 'Release',
    isMinor: true,
    cell: ({ releaseId }) =>
      releaseId === null ? (
        ''
      ) : (
        <AppLink to="/releases/$releaseId" params={{ releaseId }} className="mono">
          {releaseId}
        </AppLink>
      ),
  },
  { header: 'By', isMinor: true, cell: (row) => row.madeBy },
  { header: 'SHA-256', isMinor: true, cell: (row) => <DigestText digest={row.sha256} /> },
]

const now = 'now'

function Comparison({ baselines }: { baselines: readonly Baseline[] }) {
  // The newest against the one before it: what changed last.
  const [newest, earlier] = baselines
  const [before, setBefore] = useState<string>(earlier?.id ?? newest?.id ?? '')
  const [after, setAfter] = useState<string>(earlier === undefined ? now : (newest?.id ?? now))
  const options = baselines.map((each) => ({ value: each.id, label: `${each.label}, ${formatMoment(each.at)}` }))
  const input = { baselineId: before, ...(after === now ? {} : { against: after }) }
  const found = useQuery(orpc.estate.configuration.diffBaseline.queryOptions({ input }))
  return (
    <SectionCard
      title="Before and after"
      hint={found.data === undefined ? undefined : countOf(found.data.total, 'difference')}
    >
      <div className={styles.views}>
        <Select
          size="xs"
          className={styles.choice}
          label="Before"
          allowDeselect={false}
          data={options}
          value={before}
          onChange={(value) => setBefore(value ?? before)}
        />
        <Select
          size="xs"
          className={styles.choice}
          label="After"
          allowDeselect={false}
          data={[{ value: now, label: 'What runs now' }, ...options]}
          value={after}
          onChange={(value) => setAfter(value ?? now)}
        />
      </div>
      {found.error === null ? null : (
        <ProblemAlert title="They were not compared" error={found.error} onRetry={() => void found.refetch()} />
      )}
      {found.isPending ? <Loading what="the differences" /> : null}
      {found.data === undefined ? null : found.data.items.length === 0 ? (
        <EmptyState>Nothing differs. Choose another pair of baselines to compare.</EmptyState>
      ) : (
        <ListTable
          label="Differences"
          rows={found.data.items}
          idOf={(row) => `${row.deviceId} ${row.package}`}
          columns={differenceColumns}
        />
      )}
    </SectionCard>
  )
}

type Difference = Awaited<ReturnType<Client['estate']['configuration']['diffBaseline']>>['items'][number]

const differenceColumns: ListColumn<Difference>[] = [
  {
    header: 'Device',
    cell: (row) => (
      <AppLink to="/fleet/$deviceId" params={{ deviceId: row.deviceId }} className="mono">
        {row.device}
      </AppLink>
    ),
  },
  { header: 'Package', cell: (row) => row.package },
  { header: 'Before', cell: (row) => row.before ?? 'nothing' },
  { header: 'After', cell: (row) => row.after ?? 'nothing' },
]
