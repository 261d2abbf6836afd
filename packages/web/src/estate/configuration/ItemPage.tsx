import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { changeColumns } from './change-columns.tsx'
import { classWords, type Item, type ItemDetails } from './cmdb-words.ts'
import styles from './ItemPage.module.css'
import { client, orpc } from '#/api/client.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { KeyValue } from '#/ui/KeyValue.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatCount, formatMoment } from '#/ui/format.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

interface Relation {
  kind: string
  item: Item
  since: string
}

const pageRows = 50

/** One configuration item: what it is, what it needs or runs, and how it became so. */
export function ItemPage() {
  const { itemId } = useParams({ from: '/shell/fleet/cmdb/$itemId' })
  const item = useQuery(orpc.estate.configuration.getItem.queryOptions({ input: { itemId } }))
  return (
    <Page
      title={item.data?.name ?? 'Configuration item'}
      trail={<AppLink to="/fleet/cmdb">CMDB</AppLink>}
      note={item.data === undefined ? undefined : classWords[item.data.class]}
    >
      {item.error === null ? null : (
        <ProblemAlert title="This item could not be loaded" error={item.error} onRetry={() => void item.refetch()} />
      )}
      {item.isPending ? <Loading what="the item" lines={8} /> : null}
      {item.data === undefined ? null : <ItemCards item={item.data} />}
    </Page>
  )
}

function ItemCards({ item }: { item: ItemDetails }) {
  const history = useKeysetList([...orpc.estate.configuration.key(), 'of-item', item.id], (after, signal) =>
    client.estate.configuration.history({ itemId: item.id, limit: pageRows, ...after }, { signal }),
  )
  const more = item.incomingTotal - item.incoming.length
  return (
    <div className={styles.stack}>
      <SectionCard title="About">
        <KeyValue
          lines={[
            { key: 'State', value: <StateTag machine="item" state={item.state} /> },
            { key: 'Since', value: formatMoment(item.since) },
            ...(item.class === 'device'
              ? [
                  {
                    key: 'Device',
                    value: (
                      <AppLink to="/fleet/$deviceId" params={{ deviceId: item.key }} fz="inherit">
                        {item.name}
                      </AppLink>
                    ),
                  },
                ]
              : []),
            ...Object.entries(item.attributes).map(([key, value]) => ({ key, value: attributeText(value) })),
          ]}
        />
      </SectionCard>
      <SectionCard title="Needs or runs">
        <Relations rows={item.outgoing} nothing="It needs and runs nothing that the CMDB knows." />
      </SectionCard>
      <SectionCard
        title="Needed by or run on"
        hint={
          more > 0 ? `The first ${formatCount(item.incoming.length)} of ${formatCount(item.incomingTotal)}` : undefined
        }
      >
        <Relations rows={item.incoming} nothing="Nothing that the CMDB knows needs or runs it." />
      </SectionCard>
      <SectionCard title="History" hint="Newest first">
        <KeysetTable
          label="History"
          list={history}
          idOf={(change) => String(change.id)}
          columns={changeColumns}
          empty={
            <EmptyState>
              Nothing has changed since it entered the CMDB. The next verified install or change writes a line here.
            </EmptyState>
          }
        />
      </SectionCard>
    </div>
  )
}

function Relations({ rows, nothing }: { rows: readonly Relation[]; nothing: string }) {
  if (rows.length === 0) return <EmptyState>{nothing}</EmptyState>
  return (
    <ListTable label="Relations" rows={rows} idOf={(row) => `${row.kind} ${row.item.id}`} columns={relationColumns} />
  )
}

const relationColumns: ListColumn<Relation>[] = [
  {
    header: 'Item',
    cell: ({ item }) => (
      <Link to="/fleet/cmdb/$itemId" params={{ itemId: item.id }}>
        {item.name}
      </Link>
    ),
  },
  { header: 'Class', cell: ({ item }) => classWords[item.class] },
  { header: 'How', cell: ({ kind }) => kind.replaceAll('-', ' ') },
  { header: 'Since', isNumber: true, isMinor: true, cell: ({ since }) => <RelativeTime at={since} /> },
]

function attributeText(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'not set'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(attributeText).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
