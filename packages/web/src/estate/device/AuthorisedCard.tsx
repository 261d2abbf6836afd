import { Link } from '@tanstack/react-router'
import type { DeviceDetails } from './device-source.ts'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { formatMoment } from '#/ui/format.ts'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'

type Package = DeviceDetails['packages'][number]
type Authority = NonNullable<Package['authorisedBy']>
interface Authorised {
  each: Package
  by: Authority
}

/** Whose signatures the device counted before it installed what it runs. Its own receipts say so. */
export function AuthorisedCard({ packages }: { packages: DeviceDetails['packages'] }) {
  if (packages.length === 0) return null
  const rows = packages.flatMap((each) => (each.authorisedBy ? [{ each, by: each.authorisedBy }] : []))
  return (
    <SectionCard title="Who authorised it" hint="As the device checked it itself">
      {rows.length === 0 ? (
        <EmptyState>What it runs was installed before a board signed releases.</EmptyState>
      ) : (
        <ListTable label="Who authorised it" rows={rows} idOf={({ each }) => each.name} columns={columns} />
      )}
    </SectionCard>
  )
}

const columns: ListColumn<Authorised>[] = [
  { header: 'Package', cell: ({ each }) => `${each.name} ${each.version}` },
  {
    header: 'Role',
    cell: ({ by }) => (
      <>
        <Link to="/boards/$board" params={{ board: by.role.split('.')[0] ?? by.role }} className="mono">
          {by.role}
        </Link>{' '}
        <span className="num">version {by.version}</span>
      </>
    ),
  },
  { header: 'Signed by', cell: ({ by }) => signersText(by) },
  { header: 'Needed', isNumber: true, isMinor: true, cell: ({ by }) => by.threshold },
  { header: 'When', isNumber: true, isMinor: true, cell: ({ by }) => formatMoment(by.at) },
]

/** A key of nobody here is told by its beginning. */
function signersText({ signers }: Authority): string {
  return signers.map(({ keyId, name }) => name ?? `key ${keyId.slice(0, 12)}`).join(', ')
}
