import { Button, TextInput } from '@mantine/core'
import { useDebouncedValue, useDisclosure } from '@mantine/hooks'
import { IconPlus, IconSearch } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useOrgUnitOptions, useSiteOptions } from '../settings/use-options.ts'
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

type Person = Awaited<ReturnType<Client['estate']['person']['list']>>['items'][number]
type PersonInput = Parameters<Client['estate']['person']['create']>[0]

const pageRows = 100

/** The people that releases, roles and devices speak of. */
export function PeopleSection() {
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text.trim(), 150)
  const [isAdding, adding] = useDisclosure()
  const canWrite = useCan('person.write')
  const queries = useQueryClient()
  const sites = useSiteOptions()
  const orgUnits = useOrgUnitOptions()
  const list = useKeysetList([...orpc.estate.person.key(), 'list', search], (after, signal) =>
    client.estate.person.list({ limit: pageRows, ...(search === '' ? {} : { search }), ...after }, { signal }),
  )
  const refresh = () => queries.invalidateQueries({ queryKey: orpc.estate.person.key() })
  const create = useMutation({
    mutationFn: (values: Values) => client.estate.person.create(withoutEmpty(values) as PersonInput),
    onSuccess: async () => {
      adding.close()
      await refresh()
    },
  })
  return (
    <SettingsSection
      title="People"
      lead="A person signs in with the e-mail address. Org unit and site decide which roles reach them."
      actions={
        canWrite ? (
          <>
            <CsvImportButton
              what="people"
              onImport={(file) => client.estate.person.import(file)}
              onDone={() => void refresh()}
            />
            <Button leftSection={<IconPlus size={15} />} onClick={adding.open}>
              Add person
            </Button>
          </>
        ) : null
      }
    >
      <TextInput
        size="xs"
        w={300}
        maw="100%"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        leftSection={<IconSearch size={14} aria-hidden />}
        placeholder="Part of a name or e-mail address"
        aria-label="Search people"
      />
      <KeysetTable
        label="People"
        list={list}
        idOf={(person) => person.id}
        columns={columnsFor(sites.nameOf, orgUnits.nameOf)}
        empty={
          <EmptyState>
            {search === '' ? 'No people yet. Add the first, or import a file.' : `Nobody matches ${search}.`}
          </EmptyState>
        }
      />
      <RecordDialog
        isOpen={isAdding}
        onClose={adding.close}
        title="Add person"
        verb="Add person"
        fields={fieldsFor(sites.options, orgUnits.options)}
        error={create.error}
        isBusy={create.isPending}
        onSubmit={(values) => create.mutate(values)}
      />
    </SettingsSection>
  )
}

type NameOf = (id: string | null) => string

function columnsFor(siteName: NameOf, orgUnitName: NameOf): ListColumn<Person>[] {
  return [
    { header: 'Name', cell: (person) => <b>{person.name}</b> },
    { header: 'E-mail', cell: (person) => person.email },
    { header: 'Org unit', isMinor: true, cell: (person) => orgUnitName(person.orgUnitId) },
    { header: 'Site', isMinor: true, cell: (person) => siteName(person.siteId) },
    { header: 'Works as', isMinor: true, cell: (person) => person.jobRole ?? '' },
    { header: 'Time zone', isMinor: true, cell: (person) => person.timeZone ?? 'of the site' },
  ]
}

function fieldsFor(sites: Field['options'], orgUnits: Field['options']): Field[] {
  return [
    { name: 'name', label: 'Name', isRequired: true },
    { name: 'email', label: 'E-mail address', kind: 'email', isRequired: true },
    { name: 'orgUnitId', label: 'Org unit', kind: 'choice', options: orgUnits ?? [] },
    { name: 'siteId', label: 'Site', kind: 'choice', options: sites ?? [] },
    { name: 'jobRole', label: 'Works as', description: 'cashier, sales, nurse' },
  ]
}
