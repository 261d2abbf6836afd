import { Button, VisuallyHidden } from '@mantine/core'
import type { ReactNode } from 'react'
import styles from './ListTable.module.css'

export interface ListColumn<Row> {
  header: string
  cell: (row: Row) => ReactNode
  /** Numbers stand right. */
  isNumber?: boolean
  /** Left out on a phone. */
  isMinor?: boolean
  /** The header is for screen readers only, above a column of buttons. */
  isQuiet?: boolean
}

interface ListTableProps<Row> {
  label: string
  columns: readonly ListColumn<Row>[]
  rows: readonly Row[]
  idOf: (row: Row) => string
  hasMore?: boolean
  isLoadingMore?: boolean
  onMore?: () => void
}

/** A list of at most some hundreds of rows, as a plain table that grows on demand. */
export function ListTable<Row>(props: ListTableProps<Row>) {
  return (
    <div className={styles.frame}>
      <table className={styles.table} aria-label={props.label}>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column.header} scope="col" {...cellMarks(column)}>
                {column.isQuiet === true ? <VisuallyHidden>{column.header}</VisuallyHidden> : column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={props.idOf(row)}>
              {props.columns.map((column) => (
                <td key={column.header} {...cellMarks(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {props.hasMore === true ? (
        <div className={styles.more}>
          <Button variant="default" loading={props.isLoadingMore ?? false} onClick={() => props.onMore?.()}>
            Show more
          </Button>
        </div>
      ) : null}
    </div>
  )
}

function cellMarks<Row>(column: ListColumn<Row>) {
  return { 'data-number': column.isNumber || undefined, 'data-minor': column.isMinor || undefined }
}
