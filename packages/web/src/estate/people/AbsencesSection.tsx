import { usePersonOptions } from '../settings/use-options.ts'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { emptyAsNull, withoutEmpty } from '#/ui/form/input.ts'
import type { Field } from '#/ui/form/RecordDialog.tsx'
import { RecordsSection } from '#/ui/form/RecordsSection.tsx'
import { formatDay } from '#/ui/format.ts'
import type { ListColumn } from '#/ui/table/ListTable.tsx'

type Absence = Awaited<ReturnType<Client['estate']['absence']['list']>>['items'][number]
type AbsenceInput = Parameters<Client['estate']['absence']['create']>[0]

const pageRows = 100

export function AbsencesSection() {
  const { absence } = client.estate
  const people = usePersonOptions()
  return (
    <RecordsSection<Absence>
      title="Absences"
      lead="Who is away and who stands in, so that nothing waits for somebody on holiday."
      one="absence"
      many="absences"
      addVerb="Record absence"
      nothing="Nobody is away."
      begin="Add an absence, or import a file."
      endVerb="Call off"
      endEffect="The person counts as present again, and the deputy stands in no more."
      canWrite={useCan('absence.write')}
      kindKey={orpc.estate.absence.key()}
      load={(after, signal) => absence.list({ limit: pageRows, ...after }, { signal })}
      idOf={(row) => row.id}
      nameOf={(row) => `the absence of ${row.personName}`}
      columns={columns}
      fieldsOf={(row) => fieldsOf(people.options, row)}
      create={(values) => absence.create(withoutEmpty(values) as AbsenceInput)}
      update={({ id, version }, values) => absence.update({ ...emptyAsNull(values), absenceId: id, version })}
      end={({ id }) => absence.retire({ absenceId: id })}
      importCsv={(text) => absence.import(text)}
    />
  )
}

const columns: ListColumn<Absence>[] = [
  { header: 'Who', cell: (absence) => <b>{absence.personName}</b> },
  { header: 'From', cell: (absence) => formatDay(absence.fromOn) },
  { header: 'Until', cell: (absence) => formatDay(absence.untilOn) },
  { header: 'Stands in', isMinor: true, cell: (absence) => absence.deputyName ?? 'nobody' },
  { header: 'Note', isMinor: true, cell: (absence) => absence.note ?? '' },
]

/** Whose absence it is stays; another person's is another absence. */
function fieldsOf(people: { value: string; label: string }[], absence: Absence | undefined): Field[] {
  const who: Field = { name: 'personId', label: 'Who', kind: 'choice', options: people, isRequired: true }
  const rest: Field[] = [
    { name: 'fromOn', label: 'First day away', kind: 'date', isRequired: true, initial: absence?.fromOn ?? '' },
    { name: 'untilOn', label: 'Last day away', kind: 'date', isRequired: true, initial: absence?.untilOn ?? '' },
    { name: 'deputyId', label: 'Who stands in', kind: 'choice', options: people, initial: absence?.deputyId ?? '' },
    { name: 'note', label: 'Note', kind: 'long-text', initial: absence?.note ?? '' },
  ]
  return absence === undefined ? [who, ...rest] : rest
}
