import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { SettingsSection } from '../settings/SettingsSection.tsx'
import { useOrgUnitOptions } from '../settings/use-options.ts'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { CsvImportButton } from '#/ui/form/CsvImportButton.tsx'
import { RecordDialog, type Values } from '#/ui/form/RecordDialog.tsx'
import { withoutEmpty } from '#/ui/form/input.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type OrgUnit = Awaited<ReturnType<Client['estate']['orgUnit']['list']>>['items'][number]
type OrgUnitInput = Parameters<Client['estate']['orgUnit']['create']>[0]

const pageRows = 200

export function OrgUnitsSection() {
  const [isAdding, adding] = useDisclosure()
  const canWrite = useCan('org-unit.write')
  const queries = useQueryClient()
  const parents = useOrgUnitOptions()
  const list = useKeysetList([...orpc.estate.orgUnit.key(), 'list'], (after, signal) =>
    client.estate.orgUnit.list({ limit: pageRows, ...after }, { signal }),
  )
  const refresh = () => queries.invalidateQueries({ queryKey: orpc.estate.orgUnit.key() })
  const create = useMutation({
    mutationFn: (values: Values) => client.estate.orgUnit.create(withoutEmpty(values) as OrgUnitInput),
    onSuccess: async () => {
      adding.close()
      await refresh()
    },
  })
  return (
    <SettingsSection
      title="Org units"
      lead="The organisation as a tree. A role for a unit holds for everything below it; queries name units by their code."
      actions={
        canWrite ? (
          <>
            <CsvImportButton
              what="org units"
              onImport={(file) => client.estate.orgUnit.import(file)}
              onDone={() => void refresh()}
            />
            <Button leftSection={<IconPlus size={15} />} onClick={adding.open}>
              Add org unit
            </Button>
          </>
        ) : null
      }
    >
      <KeysetTable
        label="Org units"
        list={list}
        idOf={(unit) => unit.id}
        columns={columnsFor(parents.nameOf)}
        empty={<EmptyState>No org units yet. Add the first, or import a file.</EmptyState>}
      />
      <RecordDialog
        isOpen={isAdding}
        onClose={adding.close}
        title="Add org unit"
        verb="Add org unit"
        fields={[
          { name: 'name', label: 'Name', isRequired: true },
          {
            name: 'code',
            label: 'Code',
            description: 'A short word for queries and files: inside-sales',
            isRequired: true,
          },
          { name: 'parentId', label: 'Belongs to', kind: 'choice', options: parents.options },
        ]}
        error={create.error}
        isBusy={create.isPending}
        onSubmit={(values) => create.mutate(values)}
      />
    </SettingsSection>
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
