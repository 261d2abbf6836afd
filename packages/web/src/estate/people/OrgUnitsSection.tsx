import { useOrgUnitOptions } from '../settings/use-options.ts'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { emptyAsNull, withoutEmpty } from '#/ui/form/input.ts'
import { RecordsSection } from '#/ui/form/RecordsSection.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'

type OrgUnit = Awaited<ReturnType<Client['estate']['orgUnit']['list']>>['items'][number]
type OrgUnitInput = Parameters<Client['estate']['orgUnit']['create']>[0]

const pageRows = 200

export function OrgUnitsSection() {
  const { orgUnit } = client.estate
  const parents = useOrgUnitOptions()
  return (
    <RecordsSection<OrgUnit>
      title="Org units"
      lead="The organisation as a tree. A role for a unit holds for everything below it; queries name units by their code."
      one="org unit"
      many="org units"
      addVerb="Add org unit"
      nothing="No org units yet."
      begin="Add the first, or import a file."
      endVerb="Retire"
      endEffect="It is offered no more. Only a unit that nobody and nothing belongs to can be retired."
      canWrite={useCan('org-unit.write')}
      kindKey={orpc.estate.orgUnit.key()}
      load={(after, signal) => orgUnit.list({ limit: pageRows, ...after }, { signal })}
      idOf={(row) => row.id}
      nameOf={(row) => row.name}
      columns={columnsFor(parents.nameOf)}
      fieldsOf={(unit) => [
        { name: 'name', label: 'Name', isRequired: true, initial: unit?.name ?? '' },
        {
          name: 'code',
          label: 'Code',
          description: 'A short word for queries and files: inside-sales',
          isRequired: true,
          initial: unit?.code ?? '',
        },
        {
          name: 'parentId',
          label: 'Belongs to',
          kind: 'choice',
          options: parents.options.filter((option) => option.value !== unit?.id),
          initial: unit?.parentId ?? '',
        },
      ]}
      create={(values) => orgUnit.create(withoutEmpty(values) as OrgUnitInput)}
      update={({ id, version }, values) => orgUnit.update({ ...emptyAsNull(values), orgUnitId: id, version })}
      end={({ id }) => orgUnit.retire({ orgUnitId: id })}
      importCsv={(text) => orgUnit.import(text)}
    />
  )
}

function columnsFor(parentName: (id: string | null) => string): ListColumn<OrgUnit>[] {
  return [
    {
      header: 'Name',
      // One step in for each level, so that the tree can be read from the list.
      cell: (unit) => <b style={{ paddingInlineStart: (unit.path.length - 1) * 16 }}>{unit.name}</b>,
    },
    { header: 'Code', cell: (unit) => <span className="mono">{unit.code}</span> },
    { header: 'Belongs to', isMinor: true, cell: (unit) => parentName(unit.parentId) },
  ]
}
