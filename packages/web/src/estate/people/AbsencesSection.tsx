import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { SettingsSection } from '../settings/SettingsSection.tsx'
import { usePersonOptions } from '../settings/use-options.ts'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { CsvImportButton } from '#/ui/form/CsvImportButton.tsx'
import { RecordDialog, type Values } from '#/ui/form/RecordDialog.tsx'
import { withoutEmpty } from '#/ui/form/input.ts'
import { formatDay } from '#/ui/format.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type Absence = Awaited<ReturnType<Client['estate']['absence']['list']>>['items'][number]
type AbsenceInput = Parameters<Client['estate']['absence']['create']>[0]

const pageRows = 100

export function AbsencesSection() {
  const [isAdding, adding] = useDisclosure()
  const canWrite = useCan('absence.write')
  const queries = useQueryClient()
  const people = usePersonOptions()
  const list = useKeysetList([...orpc.estate.absence.key(), 'list'], (after, signal) =>
    client.estate.absence.list({ limit: pageRows, ...after }, { signal }),
  )
  const refresh = () => queries.invalidateQueries({ queryKey: orpc.estate.absence.key() })
  const create = useMutation({
    mutationFn: (values: Values) => client.estate.absence.create(withoutEmpty(values) as AbsenceInput),
    onSuccess: async () => {
      adding.close()
      await refresh()
    },
  })
  return (
    <SettingsSection
      title="Absences"
      lead="Who is away and who stands in, so that nothing waits for somebody on holiday."
      actions={
        canWrite ? (
          <>
            <CsvImportButton
              what="absences"
              onImport={(file) => client.estate.absence.import(file)}
              onDone={() => void refresh()}
            />
            <Button leftSection={<IconPlus size={15} />} onClick={adding.open}>
              Record absence
            </Button>
          </>
        ) : null
      }
    >
      <KeysetTable
        label="Absences"
        list={list}
        idOf={(absence) => absence.id}
        columns={columns}
        empty={<EmptyState>Nobody is away.</EmptyState>}
      />
      <RecordDialog
        isOpen={isAdding}
        onClose={adding.close}
        title="Record absence"
        verb="Record absence"
        fields={[
          { name: 'personId', label: 'Who', kind: 'choice', options: people.options, isRequired: true },
          { name: 'fromOn', label: 'First day away', kind: 'date', isRequired: true },
          { name: 'untilOn', label: 'Last day away', kind: 'date', isRequired: true },
          { name: 'deputyId', label: 'Who stands in', kind: 'choice', options: people.options },
          { name: 'note', label: 'Note', kind: 'long-text' },
        ]}
        error={create.error}
        isBusy={create.isPending}
        onSubmit={(values) => create.mutate(values)}
      />
    </SettingsSection>
  )
}

const columns: ListColumn<Absence>[] = [
  { header: 'Who', cell: (absence) => <b>{absence.personName}</b> },
  { header: 'From', cell: (absence) => formatDay(absence.fromOn) },
  { header: 'Until', cell: (absence) => formatDay(absence.untilOn) },
  { header: 'Stands in', isMinor: true, cell: (absence) => absence.deputyName ?? 'nobody' },
  { header: 'Note', isMinor: true, cell: (absence) => absence.note ?? '' },
]
