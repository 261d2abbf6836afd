import { useQuery } from '@tanstack/react-query'
import { changeColumns } from './change-columns.tsx'
import { client, orpc } from '#/api/client.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

const pageRows = 20

/** What the CMDB has written about one device; each verified install is one line. */
export function DeviceChanges({ deviceId }: { deviceId: string }) {
  const list = useKeysetList([...orpc.estate.configuration.key(), 'of-device', deviceId], (after, signal) =>
    client.estate.configuration.history({ deviceId, limit: pageRows, ...after }, { signal }),
  )
  const items = useQuery(
    orpc.estate.configuration.listItems.queryOptions({ input: { class: 'device', search: deviceId, limit: 1 } }),
  )
  const itemId = list.rows?.[0]?.item.id ?? items.data?.items[0]?.id
  return (
    <SectionCard
      title="CMDB"
      hint="One line for each verified install"
      actions={
        itemId === undefined ? undefined : (
          <AppLink to="/fleet/cmdb/$itemId" params={{ itemId }} fz={12.5}>
            Open the item
          </AppLink>
        )
      }
    >
      <KeysetTable
        label="CMDB changes"
        list={list}
        idOf={(change) => String(change.id)}
        columns={changeColumns}
        empty={<EmptyState>The CMDB has written nothing about this device yet.</EmptyState>}
      />
    </SectionCard>
  )
}
