import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { SettingsSection } from '../settings/SettingsSection.tsx'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { CsvImportButton } from '#/ui/form/CsvImportButton.tsx'
import { RecordDialog, type Field, type Values } from '#/ui/form/RecordDialog.tsx'
import { withoutEmpty } from '#/ui/form/input.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type Site = Awaited<ReturnType<Client['estate']['site']['list']>>['items'][number]
type SiteInput = Parameters<Client['estate']['site']['create']>[0]

const pageRows = 200

export function SitesSection() {
  const [isAdding, adding] = useDisclosure()
  const canWrite = useCan('site.write')
  const queries = useQueryClient()
  const list = useKeysetList([...orpc.estate.site.key(), 'list'], (after, signal) =>
    client.estate.site.list({ limit: pageRows, ...after }, { signal }),
  )
  const refresh = () => queries.invalidateQueries({ queryKey: orpc.estate.site.key() })
  const create = useMutation({
    mutationFn: (values: Values) => client.estate.site.create(withoutEmpty(values) as SiteInput),
    onSuccess: async () => {
      adding.close()
      await refresh()
    },
  })
  return (
    <SettingsSection
      title="Sites"
      lead="Where devices and people are. Queries name sites by their code; windows are read in the zone of the site."
      actions={
        canWrite ? (
          <>
            <CsvImportButton
              what="sites"
              onImport={(file) => client.estate.site.import(file)}
              onDone={() => void refresh()}
            />
            <Button leftSection={<IconPlus size={15} />} onClick={adding.open}>
              Add site
            </Button>
          </>
        ) : null
      }
    >
      <KeysetTable
        label="Sites"
        list={list}
        idOf={(site) => site.id}
        columns={columns}
        empty={<EmptyState>No sites yet. Add the first, or import a file.</EmptyState>}
      />
      <RecordDialog
        isOpen={isAdding}
        onClose={adding.close}
        title="Add site"
        verb="Add site"
        fields={fields}
        error={create.error}
        isBusy={create.isPending}
        onSubmit={(values) => create.mutate(values)}
      />
    </SettingsSection>
  )
}

const columns: ListColumn<Site>[] = [
  { header: 'Name', cell: (site) => <b>{site.name}</b> },
  { header: 'Code', cell: (site) => <span className="mono">{site.code}</span> },
  { header: 'Country', isMinor: true, cell: (site) => site.country ?? '' },
  { header: 'Region', isMinor: true, cell: (site) => site.region ?? '' },
  { header: 'Time zone', cell: (site) => site.timeZone },
]

const fields: Field[] = [
  { name: 'name', label: 'Name', isRequired: true },
  { name: 'code', label: 'Code', description: 'A short word for queries and files: leeds', isRequired: true },
  {
    name: 'timeZone',
    label: 'Time zone',
    kind: 'choice',
    isRequired: true,
    options: Intl.supportedValuesOf('timeZone').map((zone) => ({ value: zone, label: zone })),
    initial: Intl.DateTimeFormat().resolvedOptions().timeZone,
  },
  { name: 'country', label: 'Country', description: 'Two letters: GB' },
  { name: 'region', label: 'Region' },
]
