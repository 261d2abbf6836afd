import { IconGitFork } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { Client } from '#/api/client.ts'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { Tag } from '#/ui/StateTag.tsx'
import { driftWords } from '#/ui/states.ts'
import type { ListColumn } from '#/ui/table/ListTable.tsx'

type Drift = Awaited<ReturnType<Client['estate']['configuration']['drift']>>['items'][number]

export const driftColumns: ListColumn<Drift>[] = [
  {
    header: 'Device',
    cell: (row) => (
      <Link to="/fleet/$deviceId" params={{ deviceId: row.deviceId }} className="mono">
        {row.device}
      </Link>
    ),
  },
  { header: 'Package', cell: (row) => row.package },
  { header: 'What', cell: (row) => <Tag hue="pause" icon={IconGitFork} label={driftWords(row.kind)} /> },
  { header: 'Expected', isMinor: true, cell: (row) => row.expected ?? 'nothing' },
  { header: 'Found', cell: (row) => row.found ?? 'nothing' },
  { header: 'Since', isNumber: true, isMinor: true, cell: (row) => <RelativeTime at={row.since} /> },
]
