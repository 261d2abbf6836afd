import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { RecordsSection } from '#/ui/form/RecordsSection.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'

type Audience = Awaited<ReturnType<Client['estate']['audience']['list']>>['items'][number]

const pageRows = 100

/** Queries kept under a name. */
export function AudiencesSection() {
  const { audience } = client.estate
  return (
    <RecordsSection<Audience>
      title="Saved queries"
      lead="Groups of devices as queries with a name. A group is whoever matches at the moment it is asked for."
      one="query"
      many="queries"
      addVerb="Save query"
      nothing="No saved query yet. Save one here or beside the filter of the Fleet."
      endVerb="Retire"
      endEffect="It is offered no more. Releases that used it keep their own copy."
      canWrite={useCan('audience.write')}
      kindKey={orpc.estate.audience.key()}
      load={(after, signal) => audience.list({ limit: pageRows, ...after }, { signal })}
      idOf={(row) => row.id}
      nameOf={(row) => row.name}
      columns={columns}
      fieldsOf={(row) => [
        { name: 'name', label: 'Name', isRequired: true, initial: row?.name ?? '' },
        {
          name: 'query',
          label: 'Query',
          description: 'os:linux site:leeds role:till',
          isRequired: true,
          initial: row?.query ?? '',
        },
      ]}
      create={({ name = '', query = '' }) => audience.create({ name, query })}
      update={({ id, version }, { name = '', query = '' }) => audience.update({ audienceId: id, version, name, query })}
      end={({ id }) => audience.retire({ audienceId: id })}
    />
  )
}

const columns: ListColumn<Audience>[] = [
  {
    header: 'Name',
    cell: (row) => (
      <AppLink to="/fleet" search={{ q: row.query }}>
        {row.name}
      </AppLink>
    ),
  },
  { header: 'Query', cell: (row) => <span className="mono">{row.query}</span> },
  { header: 'By', isMinor: true, cell: (row) => row.madeBy },
]
