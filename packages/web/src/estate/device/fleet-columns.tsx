import { Link } from '@tanstack/react-router'
import type { DeviceRow } from './device-source.ts'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatBytes } from '#/ui/format.ts'
import type { Column } from '#/ui/table/DataTable.tsx'

/** What a line of the fleet says, in the order in which a person asks. */
export const fleetColumns: Column<DeviceRow>[] = [
  {
    id: 'name',
    header: 'Device',
    width: 165,
    canSort: true,
    isKey: true,
    cell: (row) => (
      <Link to="/fleet/$deviceId" params={{ deviceId: row.id }} className="mono">
        {row.name}
      </Link>
    ),
  },
  { id: 'state', header: 'State', width: 150, canSort: true, isKey: true, cell: (row) => <DeviceState row={row} /> },
  { id: 'user', header: 'User', width: 130, cell: (row) => row.owner ?? <span className="dim">–</span> },
  { id: 'org', header: 'Org unit', width: 130, canSort: true, cell: (row) => row.orgUnit ?? '' },
  { id: 'site', header: 'Site', width: 100, canSort: true, cell: (row) => row.site ?? '' },
  {
    id: 'os',
    header: 'OS',
    width: 145,
    canSort: true,
    cell: (row) => <span title={row.os}>{withoutCodename(row.os)}</span>,
  },
  {
    id: 'release',
    header: 'Release',
    width: 165,
    cell: (row) =>
      row.work === null ? (
        <span className="dim">–</span>
      ) : (
        <Link
          to="/releases/$releaseId"
          params={{ releaseId: row.work.releaseId }}
          title={`${row.work.release} ${row.work.version}`}
        >
          {row.work.release} <span className="num">{row.work.version}</span>
        </Link>
      ),
  },
  {
    id: 'free',
    header: 'Free disk',
    width: 80,
    canSort: true,
    cell: (row) => <span className="num">{row.freeDiskBytes === null ? '' : formatBytes(row.freeDiskBytes)}</span>,
  },
  {
    id: 'seen',
    header: 'Last seen',
    width: 95,
    canSort: true,
    cell: (row) =>
      row.lastSeenAt === null ? <span className="dim">never</span> : <RelativeTime at={row.lastSeenAt} />,
  },
]

/** "Debian GNU/Linux 12" of "Debian GNU/Linux 12 (bookworm)". */
function withoutCodename(os: string): string {
  return os.replace(/ \([^)]*\)$/, '')
}

/** A device in use is told by its work; one that is not, or has gone quiet, by that. */
function DeviceState({ row }: { row: DeviceRow }) {
  if (row.state !== 'active' || row.work === null) return <StateTag machine="device" state={row.state} />
  return <StateTag machine="job" state={row.work.state} />
}
