import { Link } from '@tanstack/react-router'
import styles from './ReleaseTable.module.css'
import type { Client } from '#/api/client.ts'
import { PinButton } from '../pinned-release/PinButton.tsx'
import { PhaseBar } from '#/ui/PhaseBar.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatCount, formatShare } from '#/ui/format.ts'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'

export type ReleaseRow = Awaited<ReturnType<Client['plan']['release']['list']>>['items'][number]

interface ReleaseTableProps {
  label: string
  rows: readonly ReleaseRow[]
  hasMore?: boolean
  isLoadingMore?: boolean
  onMore?: () => void
}

/** Where releases stand, one per line. */
export function ReleaseTable(props: ReleaseTableProps) {
  return <ListTable {...props} idOf={(row) => row.id} columns={columns} />
}

const columns: ListColumn<ReleaseRow>[] = [
  {
    header: 'Release',
    cell: (row) => (
      <>
        <Link to="/releases/$releaseId" params={{ releaseId: row.id }}>
          {row.title}
        </Link>{' '}
        <span className="dim num">{row.version}</span>
      </>
    ),
  },
  { header: 'State', cell: (row) => <ReleaseState row={row} /> },
  { header: 'Progress', cell: (row) => <Progress row={row} /> },
  {
    header: 'Failed',
    isNumber: true,
    cell: (row) => (row.rollout === null ? '–' : formatCount(row.rollout.failures)),
  },
  { header: 'Product line', isMinor: true, cell: (row) => row.productLine },
  { header: 'Owner', isMinor: true, cell: (row) => row.owner },
  { header: 'Changed', isNumber: true, isMinor: true, cell: (row) => <RelativeTime at={row.updatedAt} /> },
  {
    header: 'Pin',
    isQuiet: true,
    isMinor: true,
    cell: (row) => <PinButton releaseId={row.id} name={`${row.title} ${row.version}`} />,
  },
]

function ReleaseState({ row }: { row: ReleaseRow }) {
  const { rollout } = row
  if (rollout === null) return <StateTag machine="release" state={row.state} />
  const isOnTheWay = rollout.phase !== null && rollout.phases > 1
  const word = rollout.state === 'paused' ? 'Paused' : 'Rolling out'
  const canSayPhase = isOnTheWay && (rollout.state === 'running' || rollout.state === 'paused')
  return (
    <StateTag
      machine="rollout"
      state={rollout.state}
      label={canSayPhase ? `${word}, phase ${rollout.phase} of ${rollout.phases}` : undefined}
    />
  )
}

function Progress({ row: { rollout } }: { row: ReleaseRow }) {
  if (rollout === null) return <span className="dim">not started</span>
  return (
    <div className={styles.progress}>
      <PhaseBar total={rollout.audience} verified={rollout.verified} inFlight={0} failed={rollout.failures} />
      <span className="num">
        {formatShare(rollout.verified, rollout.audience)}{' '}
        <span className="dim">of {formatCount(rollout.audience)}</span>
      </span>
    </div>
  )
}
