import { useOrgUnitOptions, usePersonOptions, type Options } from '../settings/use-options.ts'
import { hoursFrom, hoursText } from './service-hours.ts'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import type { Field, Values } from '#/ui/form/RecordDialog.tsx'
import { RecordsSection } from '#/ui/form/RecordsSection.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'

type Service = Awaited<ReturnType<Client['estate']['service']['list']>>['items'][number]
type ServiceInput = Parameters<Client['estate']['service']['create']>[0]
type ServiceChange = Parameters<Client['estate']['service']['update']>[0]

const pageRows = 100

/** What the organisation lives on; releases change it, devices carry it. */
export function ServicesSection() {
  const { service } = client.estate
  const people = usePersonOptions()
  const orgUnits = useOrgUnitOptions()
  return (
    <RecordsSection<Service>
      title="Services"
      lead="What people rely on, what it consists of and what it needs. They stand in the CMDB with their relations."
      one="service"
      many="services"
      addVerb="Add service"
      nothing="No service yet. A service says who suffers when its software breaks."
      begin="Add the first."
      endVerb="Retire"
      endEffect="It leaves the CMDB. Only a service that no other needs can be retired."
      canWrite={useCan('service.write')}
      kindKey={orpc.estate.service.key()}
      load={(after, signal) => service.list({ limit: pageRows, ...after }, { signal })}
      idOf={(row) => row.id}
      nameOf={(row) => row.name}
      columns={columnsFor(people.nameOf)}
      fieldsOf={(row) => fieldsFor(people.options, orgUnits.options, row)}
      create={(values) => service.create({ ...inputFrom(values), code: values['code'] ?? '' } as ServiceInput)}
      update={({ id, version }, values) =>
        service.update({ ...inputFrom(values), serviceId: id, version } as ServiceChange)
      }
      end={({ id }) => service.retire({ serviceId: id })}
    />
  )
}

function inputFrom(values: Values) {
  const { name = '', purpose = '', criticality = '', ownerPersonId = '', orgUnitId = '', timeZone = '' } = values
  return {
    name,
    purpose,
    criticality,
    timeZone,
    ownerPersonId: ownerPersonId === '' ? null : ownerPersonId,
    orgUnitId: orgUnitId === '' ? null : orgUnitId,
    hours: hoursFrom(values['hours'] ?? ''),
    dependsOn: wordsOf(values['dependsOn'] ?? ''),
    uses: wordsOf(values['uses'] ?? ''),
  }
}

function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '')
}

function columnsFor(personName: (id: string | null) => string): ListColumn<Service>[] {
  return [
    { header: 'Name', cell: (row) => <b>{row.name}</b> },
    { header: 'Code', cell: (row) => <span className="mono">{row.code}</span> },
    { header: 'Criticality', cell: (row) => row.criticality },
    { header: 'Owner', isMinor: true, cell: (row) => personName(row.ownerPersonId) },
    { header: 'Consists of', isMinor: true, cell: (row) => row.uses.join(', ') },
    { header: 'Needs', isMinor: true, cell: (row) => row.dependsOn.join(', ') },
    { header: 'Needed by', isMinor: true, cell: (row) => row.neededBy.join(', ') },
    { header: 'Hours', isMinor: true, cell: (row) => hoursText(row.hours) },
  ]
}

function fieldsFor(people: Options['options'], orgUnits: Options['options'], row: Service | undefined): Field[] {
  const code: Field = { name: 'code', label: 'Code', description: 'A short word: till-sales', isRequired: true }
  return [
    { name: 'name', label: 'Name', isRequired: true, initial: row?.name ?? '' },
    ...(row === undefined ? [code] : []),
    { name: 'purpose', label: 'Purpose', kind: 'long-text', initial: row?.purpose ?? '' },
    {
      name: 'criticality',
      label: 'Criticality',
      kind: 'choice',
      isRequired: true,
      initial: row?.criticality ?? 'medium',
      options: ['low', 'medium', 'high', 'critical'].map((value) => ({ value, label: value })),
    },
    { name: 'ownerPersonId', label: 'Owner', kind: 'choice', options: people, initial: row?.ownerPersonId ?? '' },
    { name: 'orgUnitId', label: 'Org unit', kind: 'choice', options: orgUnits, initial: row?.orgUnitId ?? '' },
    {
      name: 'uses',
      label: 'Consists of packages',
      description: 'Names with commas: page-builder',
      initial: row?.uses.join(', ') ?? '',
    },
    {
      name: 'dependsOn',
      label: 'Needs services',
      description: 'Codes with commas',
      initial: row?.dependsOn.join(', ') ?? '',
    },
    {
      name: 'timeZone',
      label: 'Time zone',
      isRequired: true,
      initial: row?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    {
      name: 'hours',
      label: 'Promised hours',
      description: 'Mon-Fri 08:00-18:00, Sat 09:00-12:00',
      initial: row === undefined ? '' : hoursText(row.hours),
    },
  ]
}
