/* oxlint-disable jsx-a11y/prefer-tag-over-role, jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions --
   rows are placed one by one over a height of their own, which table elements cannot be, and the table takes the keys of its rows */
import { Checkbox } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import {
  columnSizingFeature,
  rowSortingFeature,
  tableFeatures,
  useTable,
  type ColumnDef,
  type SortingState,
} from '@tanstack/react-table'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState, type CSSProperties, type KeyboardEvent, type ReactNode } from 'react'
import styles from './DataTable.module.css'
import { everythingSelected, isSelected, nothingSelected, toggleSelected, type Selection } from './selection.ts'
import { useBlocks, type BlockSource } from './use-blocks.ts'
import { useDensity } from '#/ui/use-density.ts'
import { Loading } from '#/ui/Loading.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'

const features = tableFeatures({ rowSortingFeature, columnSizingFeature })

const overscan = 12

export interface Column<Row> {
  id: string
  header: string
  /** Share of the width, as a number of pixels it would like. */
  width: number
  canSort?: boolean
  /** Stays where there is room for two columns only. */
  isKey?: boolean
  cell: (row: Row) => ReactNode
}

/** "name" ascending, "-name" descending; empty is the order of the server. */
export type Order = string

interface DataTableProps<Row> {
  label: string
  columns: readonly Column<Row>[]
  source: BlockSource<Row>
  idOf: (row: Row) => string
  /** What a row is called aloud: "Select till-leeds-4". */
  nameOf: (row: Row) => string
  onOpen?: ((row: Row) => void) | undefined
  order: Order
  onOrder: (order: Order) => void
  selection?: Selection
  onSelection?: (selection: Selection) => void
  /** Shown when nothing matches. */
  empty: ReactNode
  onTotal?: (total: number) => void
}

/** A list of any length: sorted and filtered by the server, drawn row by row, and walked with j, k, x and Enter. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const scroller = useRef<HTMLDivElement>(null)
  const [shown, setShown] = useState({ first: 0, last: 60 })
  const { rowHeight } = useDensity()
  const blocks = useBlocks(props.source, shown.first, shown.last)
  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoised by a compiler
  const virtualizer = useVirtualizer({
    count: blocks.total,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan,
  })
  const items = virtualizer.getVirtualItems()
  useEffect(() => virtualizer.measure(), [rowHeight, virtualizer])
  const isNarrow = useMediaQuery('(max-width: 48em)')
  const shownProps = isNarrow ? { ...props, columns: props.columns.filter((column) => column.isKey === true) } : props
  const first = items[0]?.index ?? 0
  const last = items.at(-1)?.index ?? 60
  useEffect(() => setShown({ first, last }), [first, last])
  useReportTotal(blocks.total, blocks.isFirstLoad, props.onTotal)

  const listKey = JSON.stringify(props.source.queryKey)
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 })
  }, [listKey])

  const cursor = useRowCursor(blocks.total, (index) => virtualizer.scrollToIndex(index))
  const loaded = items.flatMap((item) => {
    const row = blocks.rowAt(item.index)
    return row === undefined ? [] : [row]
  })
  const table = useColumns(shownProps, loaded)
  const template = gridTemplate(shownProps)

  function onKeyDown(event: KeyboardEvent) {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
    const row = cursor.index === null ? undefined : blocks.rowAt(cursor.index)
    if (event.key === 'j') cursor.move(1)
    else if (event.key === 'k') cursor.move(-1)
    else if (event.key === 'x' && row !== undefined)
      props.onSelection?.(toggleSelected(selectionOf(props), props.idOf(row)))
    else if (event.key === 'Enter' && row !== undefined) props.onOpen?.(row)
    else return
    event.preventDefault()
  }

  if (blocks.error !== null && blocks.total === 0) {
    return <ProblemAlert title="This list could not be loaded" error={blocks.error} onRetry={blocks.retry} />
  }
  if (blocks.isFirstLoad) return <Loading what={props.label} lines={12} />
  if (blocks.total === 0) return props.empty
  return (
    // The table itself takes the keys, so that rows nobody has scrolled to need no focus of their own.
    <div
      ref={scroller}
      className={styles.scroll}
      tabIndex={0}
      role="table"
      aria-label={props.label}
      aria-rowcount={blocks.total + 1}
      aria-busy={blocks.isFetching}
      onKeyDown={onKeyDown}
      style={{ '--table-width': `${isNarrow ? 0 : widthOf(shownProps)}px` } as CSSProperties}
    >
      <div role="rowgroup" className={styles.head}>
        <div role="row" className={styles.row} aria-rowindex={1} style={{ gridTemplateColumns: template }}>
          <SelectAllCell {...props} />
          {table.getHeaderGroups()[0]?.headers.map((header) => (
            <HeaderCell
              key={header.id}
              title={String(header.column.columnDef.header)}
              canSort={header.column.getCanSort()}
              sorted={header.column.getIsSorted()}
              onToggle={() => header.column.toggleSorting()}
            />
          ))}
        </div>
      </div>
      <div role="rowgroup" style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
        {items.map((item) => (
          <BodyRow
            key={item.index}
            index={item.index}
            top={item.start}
            template={template}
            row={blocks.rowAt(item.index)}
            isAtCursor={cursor.index === item.index}
            table={shownProps}
          />
        ))}
      </div>
    </div>
  )
}

interface BodyRowProps<Row> {
  index: number
  top: number
  template: string
  row: Row | undefined
  isAtCursor: boolean
  table: DataTableProps<Row>
}

function BodyRow<Row>({ index, top, template, row, isAtCursor, table }: BodyRowProps<Row>) {
  const selection = selectionOf(table)
  const isChosen = row !== undefined && isSelected(selection, table.idOf(row))
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={styles.row}
      data-selected={isChosen || undefined}
      data-cursor={isAtCursor || undefined}
      style={{ gridTemplateColumns: template, transform: `translateY(${top}px)` }}
    >
      {row === undefined ? (
        <div role="cell" className={styles.ghost} />
      ) : (
        <>
          {table.onSelection === undefined ? null : (
            <div role="cell">
              <Checkbox
                size="xs"
                aria-label={`Select ${table.nameOf(row)}`}
                checked={isChosen}
                onChange={() => table.onSelection?.(toggleSelected(selection, table.idOf(row)))}
              />
            </div>
          )}
          {table.columns.map((column) => (
            <div role="cell" key={column.id}>
              {column.cell(row)}
            </div>
          ))}
        </>
      )}
    </div>
  )
}

interface HeaderCellProps {
  title: string
  canSort: boolean
  sorted: false | 'asc' | 'desc'
  onToggle: () => void
}

function HeaderCell({ title, canSort, sorted, onToggle }: HeaderCellProps) {
  if (!canSort) {
    return (
      <div role="columnheader" className={styles.title}>
        {title}
      </div>
    )
  }
  return (
    <div role="columnheader" aria-sort={sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : 'none'}>
      <button type="button" onClick={onToggle}>
        {title}
        {sorted === 'asc' ? <IconArrowUp size={13} aria-hidden /> : null}
        {sorted === 'desc' ? <IconArrowDown size={13} aria-hidden /> : null}
      </button>
    </div>
  )
}

function SelectAllCell<Row>(props: DataTableProps<Row>) {
  const { onSelection } = props
  if (onSelection === undefined) return null
  const selection = selectionOf(props)
  const isAll = selection.kind === 'all-matching' && selection.except.size === 0
  const isSome = !isAll && (selection.kind === 'all-matching' || selection.ids.size > 0)
  return (
    <div role="columnheader" aria-label="Selection">
      <Checkbox
        size="xs"
        aria-label="Select all that match"
        checked={isAll}
        indeterminate={isSome}
        onChange={() => onSelection(isAll ? nothingSelected : everythingSelected)}
      />
    </div>
  )
}

function useColumns<Row>(props: DataTableProps<Row>, rows: readonly Row[]) {
  const columns = useMemo(
    () =>
      props.columns.map((column): ColumnDef<typeof features, Row & object> => ({
        id: column.id,
        header: column.header,
        size: column.width,
        enableSorting: column.canSort ?? false,
        accessorFn: (row) => row,
      })),
    [props.columns],
  )
  const sorting: SortingState =
    props.order === '' ? [] : [{ id: props.order.replace(/^-/, ''), desc: props.order.startsWith('-') }]
  return useTable({
    features,
    columns,
    data: rows as readonly (Row & object)[],
    manualSorting: true,
    state: { sorting },
    onSortingChange: (change) => {
      const next = typeof change === 'function' ? change(sorting) : change
      const column = next[0]
      props.onOrder(column === undefined ? '' : `${column.desc ? '-' : ''}${column.id}`)
    },
  })
}

/** The row that j and k walk over. */
function useRowCursor(total: number, reveal: (index: number) => void) {
  const [index, setIndex] = useState<number | null>(null)
  function move(by: number) {
    const next = Math.min(Math.max((index ?? -1) + by, 0), total - 1)
    setIndex(next)
    reveal(next)
  }
  return { index, move }
}

function useReportTotal(total: number, isFirstLoad: boolean, onTotal: ((total: number) => void) | undefined) {
  useEffect(() => {
    if (!isFirstLoad) onTotal?.(total)
  }, [total, isFirstLoad, onTotal])
}

function selectionOf<Row>(props: DataTableProps<Row>): Selection {
  return props.selection ?? nothingSelected
}

const selectionWidth = 36
/** Columns give way this far; beyond it the table scrolls sideways. */
const narrowest = 0.9

function gridTemplate<Row>({ columns, onSelection }: DataTableProps<Row>): string {
  const shares = columns.map((column) => `minmax(${Math.round(column.width * narrowest)}px, ${column.width}fr)`)
  return [...(onSelection === undefined ? [] : [`${selectionWidth}px`]), ...shares].join(' ')
}

function widthOf<Row>({ columns, onSelection }: DataTableProps<Row>): number {
  const own = columns.reduce((width, column) => width + Math.round(column.width * narrowest), 0)
  return own + (onSelection === undefined ? 0 : selectionWidth)
}
