import type { ReactNode } from 'react'
import { ListTable, type ListColumn } from './ListTable.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import type { KeysetList } from '#/ui/use-keyset-list.ts'

interface KeysetTableProps<Row> {
  label: string
  list: KeysetList<Row>
  columns: readonly ListColumn<Row>[]
  idOf: (row: Row) => string
  empty: ReactNode
}

/** A growing list in each of its states: loading, failed, empty, there. */
export function KeysetTable<Row>({ label, list, columns, idOf, empty }: KeysetTableProps<Row>) {
  if (list.error !== null) {
    return <ProblemAlert title={`${label} could not be loaded`} error={list.error} onRetry={list.retry} />
  }
  if (list.rows === undefined) return <Loading what={label.toLowerCase()} lines={8} />
  if (list.rows.length === 0) return empty
  return (
    <ListTable
      label={label}
      rows={list.rows}
      columns={columns}
      idOf={idOf}
      hasMore={list.hasMore}
      isLoadingMore={list.isLoadingMore}
      onMore={list.onMore}
    />
  )
}
