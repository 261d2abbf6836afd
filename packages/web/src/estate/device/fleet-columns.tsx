import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { DeviceRow } from './device-source.ts'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatBytes } from '#/ui/format.ts'
import type { Column } from '#/ui/table/DataTable.tsx'

export interface FleetColumn extends Column<DeviceRow> {
  /** Stands there before anybody chose. */
  isUsual?: boolean
  /** Cannot be hidden: without it nobody knows which device a line is about. */
  isFixed?: boolean
}

/** What a line of the fleet can say, in the order in which a person asks. */
export const fleetColumns: readonly FleetColumn[] = [
  {
    id: 'name',
    header: 'Device',
    width: 165,
    canSort: true,
    isKey: true,
    isUsual: true,
    isFixed: true,
    cell: (row) => (
      <Link to="/fleet/$deviceId" params={{ deviceId: row.id }} className="mono">
        {row.name}
      </Link>
    ),
  },
  {
    id: 'state',
    header: 'State',
    width: 150,
    canSort: true,
    isKey: true,
    isUsual: true,
    cell: (row) => <DeviceState row={row} />,
  },
  { id: 'user', header: 'User', width: 130, isUsual: true, cell: (row) => row.owner ?? nothing },
  { id: 'org', header: 'Org unit', width: 130, canSort: true, isUsual: true, cell: (row) => row.orgUnit ?? nothing },
  { id: 'site', header: 'Site', width: 110, canSort: true, isUsual: true, cell: (row) => row.site ?? nothing },
  { id: 'roles', header: 'Roles', width: 140, cell: (row) => wordsIn(row.roles) },
  { id: 'tags', header: 'Tags', width: 120, cell: (row) => wordsIn(row.tags) },
  {
    id: 'os',
    header: 'OS',
    width: 165,
    canSort: true,
    isUsual: true,
    cell: (row) => <span title={row.os}>{withoutCodename(row.os)}</span>,
  },
  { id: 'model', header: 'Model', width: 140, cell: (row) => row.model ?? nothing },
  { id: 'software', header: 'Software', width: 140, isUsual: true, cell: (row) => <Software row={row} /> },
  { id: 'release', header: 'Release', width: 165, cell: (row) => <LatestRelease row={row} /> },
  {
    id: 'since',
    header: 'Since',
    width: 100,
    cell: (row) => (row.work === null ? nothing : <RelativeTime at={row.work.since} />),
  },
  {
    id: 'reason',
    header: 'Reason',
    width: 260,
    cell: (row) => (row.work?.sentence ? <span title={row.work.sentence}>{row.work.sentence}</span> : nothing),
  },
  {
    id: 'refusal',
    header: 'Refuses by rule',
    width: 200,
    cell: (row) =>
      row.work?.refusal ? (
        <span className="mono" title={row.work.sentence ?? row.work.refusal.rule}>
          {row.work.refusal.code} {row.work.refusal.rule}
        </span>
      ) : (
        nothing
      ),
  },
  {
    id: 'free',
    header: 'Free disk',
    width: 85,
    canSort: true,
    isUsual: true,
    cell: (row) =>
      row.freeDiskBytes === null ? nothing : <span className="num">{formatBytes(row.freeDiskBytes)}</span>,
  },
  {
    id: 'version',
    header: 'Agent',
    width: 85,
    canSort: true,
    cell: (row) => <span className="num">{row.agentVersion}</span>,
  },
  {
    id: 'seen',
    header: 'Last seen',
    width: 105,
    canSort: true,
    isUsual: true,
    cell: (row) => (
      <span className="dim">{row.lastSeenAt === null ? 'never' : <RelativeTime at={row.lastSeenAt} />}</span>
    ),
  },
]

const nothing: ReactNode = <span className="dim">–</span>

const usual = fleetColumns.filter((column) => column.isUsual).map((column) => column.id)

/** The columns of an address, `name,site,seen`, in the order of the page; without any, those that usually stand there. */
export function columnsShown(cols: string): FleetColumn[] {
  const wanted = cols === '' ? usual : cols.split(',')
  return fleetColumns.filter((column) => column.isFixed || wanted.includes(column.id))
}

/** How an address says these columns; what usually stands there needs no words. */
export function colsOf(ids: readonly string[]): string {
  const cols = fleetColumns.filter((column) => column.isFixed || ids.includes(column.id)).map((column) => column.id)
  return cols.join() === usual.join() ? '' : cols.join()
}

function wordsIn(words: readonly string[]): ReactNode {
  return words.length === 0 ? nothing : <span title={words.join(', ')}>{words.join(', ')}</span>
}

/** "Debian GNU/Linux 12" of "Debian GNU/Linux 12 (bookworm)". */
function withoutCodename(os: string): string {
  return os.replace(/ \([^)]*\)$/, '')
}

function Software({ row: { software } }: { row: DeviceRow }) {
  const [first, ...others] = software
  if (first === undefined) return nothing
  return (
    <span title={software.map(({ name, version }) => `${name} ${version}`).join(', ')}>
      {first.name} <span className="num">{first.version}</span>
      {others.length === 0 ? null : <span className="dim"> +{others.length}</span>}
    </span>
  )
}

function LatestRelease({ row: { work } }: { row: DeviceRow }) {
  if (work === null) return nothing
  return (
    <Link to="/releases/$releaseId" params={{ releaseId: work.releaseId }} title={`${work.release} ${work.version}`}>
      {work.release} <span className="num">{work.version}</span>
    </Link>
  )
}

/** A device in use is told by its work; one that is not, or has gone quiet, by that. */
function DeviceState({ row }: { row: DeviceRow }) {
  if (row.state !== 'active' || row.work === null) return <StateTag machine="device" state={row.state} />
  return <StateTag machine="job" state={row.work.state} />
}
