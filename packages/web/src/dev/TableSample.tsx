import { useState } from 'react'
import styles from './ComponentsPage.module.css'
import { sampleBlocks, type SampleRow } from './samples.ts'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatCount } from '#/ui/format.ts'
import { DataTable, type Column } from '#/ui/table/DataTable.tsx'
import { countSelected, nothingSelected, type Selection } from '#/ui/table/selection.ts'

const columns: Column<SampleRow>[] = [
  { id: 'name', header: 'Device', width: 150, canSort: true, cell: (row) => <span className="mono">{row.name}</span> },
  { id: 'state', header: 'State', width: 130, cell: (row) => <StateTag machine="job" state={row.state} /> },
  { id: 'site', header: 'Site', width: 110, canSort: true, cell: (row) => row.site },
  { id: 'version', header: 'Version', width: 90, cell: (row) => <span className="num">{row.version}</span> },
]

export function TableSample() {
  const [order, setOrder] = useState('')
  const [selection, setSelection] = useState<Selection>(nothingSelected)
  const total = 100_000
  return (
    <div className={styles.table}>
      <output>{formatCount(countSelected(selection, total))} selected</output>
      <DataTable
        label="Sample devices"
        columns={columns}
        source={sampleBlocks(total, order)}
        idOf={(row) => row.name}
        nameOf={(row) => row.name}
        order={order}
        onOrder={setOrder}
        selection={selection}
        onSelection={setSelection}
        empty={<EmptyState>No sample matches.</EmptyState>}
      />
    </div>
  )
}
