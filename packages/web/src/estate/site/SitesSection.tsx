import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { emptyAsNull, withoutEmpty } from '#/ui/form/input.ts'
import type { Field } from '#/ui/form/RecordDialog.tsx'
import { RecordsSection } from '#/ui/form/RecordsSection.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'

type Site = Awaited<ReturnType<Client['estate']['site']['list']>>['items'][number]
type SiteInput = Parameters<Client['estate']['site']['create']>[0]

const pageRows = 200

export function SitesSection() {
  const { site } = client.estate
  return (
    <RecordsSection<Site>
      title="Sites"
      lead="Where devices and people are. Queries name sites by their code; windows are read in the zone of the site."
      one="site"
      many="sites"
      addVerb="Add site"
      nothing="No sites yet."
      begin="Add the first, or import a file."
      endVerb="Retire"
      endEffect="It is offered no more and queries do not find it. What happened there stays readable."
      canWrite={useCan('site.write')}
      kindKey={orpc.estate.site.key()}
      load={(after, signal) => site.list({ limit: pageRows, ...after }, { signal })}
      idOf={(row) => row.id}
      nameOf={(row) => row.name}
      columns={columns}
      fieldsOf={fieldsOf}
      create={(values) => site.create(withoutEmpty(values) as SiteInput)}
      update={({ id, version }, values) => site.update({ ...emptyAsNull(values), siteId: id, version })}
      end={({ id }) => site.retire({ siteId: id })}
      importCsv={(text) => site.import(text)}
    />
  )
}

const columns: ListColumn<Site>[] = [
  { header: 'Name', cell: (site) => <b>{site.name}</b> },
  { header: 'Code', cell: (site) => <span className="mono">{site.code}</span> },
  { header: 'Country', isMinor: true, cell: (site) => site.country ?? '' },
  { header: 'Region', isMinor: true, cell: (site) => site.region ?? '' },
  { header: 'Time zone', isMinor: true, cell: (site) => site.timeZone },
]

function fieldsOf(site: Site | undefined): Field[] {
  return [
    { name: 'name', label: 'Name', isRequired: true, initial: site?.name ?? '' },
    {
      name: 'code',
      label: 'Code',
      description: 'A short word for queries and files: leeds',
      isRequired: true,
      initial: site?.code ?? '',
    },
    {
      name: 'timeZone',
      label: 'Time zone',
      kind: 'choice',
      isRequired: true,
      options: Intl.supportedValuesOf('timeZone').map((zone) => ({ value: zone, label: zone })),
      initial: site?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    { name: 'country', label: 'Country', description: 'Two letters: GB', initial: site?.country ?? '' },
    { name: 'region', label: 'Region', initial: site?.region ?? '' },
  ]
}
