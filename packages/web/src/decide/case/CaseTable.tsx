import { Link } from '@tanstack/react-router'
import { caseTitle, type CaseRow } from './case-view.ts'
import { StateTag } from '#/ui/StateTag.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'

/** Questions to a board, one per line. */
export function CaseTable({ label, rows }: { label: string; rows: readonly CaseRow[] }) {
  return <ListTable label={label} rows={rows} idOf={(row) => row.id} columns={columns} />
}

const columns: ListColumn<CaseRow>[] = [
  {
    header: 'Case',
    cell: (row) => (
      <Link to="/cases/$caseId" params={{ caseId: row.id }}>
        {caseTitle(row)}
      </Link>
    ),
  },
  { header: 'Number', isMinor: true, cell: (row) => <span className="mono">{row.id}</span> },
  { header: 'State', cell: (row) => <StateTag machine="case" state={row.state} /> },
  { header: 'Signatures', isNumber: true, cell: (row) => `${row.signatures} of ${row.threshold}` },
  { header: 'Asked by', isMinor: true, cell: (row) => row.askedBy },
  { header: 'Asked', isNumber: true, isMinor: true, cell: (row) => <RelativeTime at={row.askedAt} /> },
  {
    header: 'Decided',
    isNumber: true,
    isMinor: true,
    cell: (row) => (row.decidedAt === null ? '' : <RelativeTime at={row.decidedAt} />),
  },
]
