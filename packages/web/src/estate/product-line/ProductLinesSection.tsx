import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { SettingsSection } from '../settings/SettingsSection.tsx'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { RecordDialog, type Field, type Values } from '#/ui/form/RecordDialog.tsx'
import { withoutEmpty } from '#/ui/form/input.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type ProductLine = Awaited<ReturnType<Client['estate']['productLine']['list']>>['items'][number]
type ProductLineInput = Parameters<Client['estate']['productLine']['create']>[0]

const pageRows = 200

export function ProductLinesSection() {
  const [isAdding, adding] = useDisclosure()
  const canWrite = useCan('product-line.write')
  const queries = useQueryClient()
  const list = useKeysetList([...orpc.estate.productLine.key(), 'list'], (after, signal) =>
    client.estate.productLine.list({ limit: pageRows, ...after }, { signal }),
  )
  const refresh = () => queries.invalidateQueries({ queryKey: orpc.estate.productLine.key() })
  const create = useMutation({
    mutationFn: (values: Values) => client.estate.productLine.create(withoutEmpty(values) as ProductLineInput),
    onSuccess: async () => {
      adding.close()
      await refresh()
    },
  })
  return (
    <SettingsSection
      title="Product lines"
      lead="What releases belong to. A line counts its releases, so that a device never goes back by mistake."
      actions={
        canWrite ? (
          <Button leftSection={<IconPlus size={15} />} onClick={adding.open}>
            Add product line
          </Button>
        ) : null
      }
    >
      <KeysetTable
        label="Product lines"
        list={list}
        idOf={(line) => line.id}
        columns={columns}
        empty={<EmptyState>No product line yet. Add the first: every release belongs to one.</EmptyState>}
      />
      <RecordDialog
        isOpen={isAdding}
        onClose={adding.close}
        title="Add product line"
        verb="Add product line"
        fields={fields}
        error={create.error}
        isBusy={create.isPending}
        onSubmit={(values) => create.mutate(values)}
      />
    </SettingsSection>
  )
}

const columns: ListColumn<ProductLine>[] = [
  { header: 'Name', cell: (line) => <b>{line.name}</b> },
  { header: 'Code', cell: (line) => <span className="mono">{line.code}</span> },
  { header: 'Board', isMinor: true, cell: (line) => line.boardName ?? 'none yet' },
  { header: 'Releases', isNumber: true, cell: (line) => line.counter },
]

const fields: Field[] = [
  { name: 'name', label: 'Name', isRequired: true },
  { name: 'code', label: 'Code', description: 'A short word that stays for ever: sales-workbench', isRequired: true },
]
