import { Link } from '@tanstack/react-router'
import { changeWords, type Change } from './cmdb-words.ts'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'

export const itemColumn: ListColumn<Change> = {
  header: 'Item',
  cell: ({ item }) => (
    <Link
      to="/fleet/cmdb/$itemId"
      params={{ itemId: item.id }}
      className={item.class === 'device' ? 'mono' : undefined}
    >
      {item.name}
    </Link>
  ),
}

export const changeColumns: ListColumn<Change>[] = [
  { header: 'What', cell: changeWords },
  {
    header: 'Because of',
    isMinor: true,
    cell: ({ releaseId }) =>
      releaseId === null ? (
        ''
      ) : (
        <Link to="/releases/$releaseId" params={{ releaseId }}>
          {releaseId}
        </Link>
      ),
  },
  { header: 'When', isNumber: true, cell: ({ at }) => <RelativeTime at={at} /> },
]
