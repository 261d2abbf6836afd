import { TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useOrgUnitOptions, useSiteOptions, type Options } from '../settings/use-options.ts'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { emptyAsNull, withoutEmpty } from '#/ui/form/input.ts'
import type { Field, Values } from '#/ui/form/RecordDialog.tsx'
import { RecordsSection } from '#/ui/form/RecordsSection.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'

type Person = Awaited<ReturnType<Client['estate']['person']['list']>>['items'][number]
type PersonInput = Parameters<Client['estate']['person']['create']>[0]

const pageRows = 100

/** The people that releases, roles and devices speak of. */
export function PeopleSection() {
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text.trim(), 150)
  const { person } = client.estate
  const sites = useSiteOptions()
  const orgUnits = useOrgUnitOptions()
  return (
    <RecordsSection<Person>
      title="People"
      lead="A person signs in with the e-mail address. Org unit and site decide which roles reach them."
      one="person"
      many="people"
      addVerb="Add person"
      nothing={search === '' ? 'No people yet.' : `Nobody matches ${search}.`}
      {...(search === '' ? { begin: 'Add the first, or import a file.' } : {})}
      endVerb="Retire"
      endEffect="All sessions end at once and the person cannot sign in. What they did stays in the ledger."
      canWrite={useCan('person.write')}
      kindKey={orpc.estate.person.key()}
      listKey={[search]}
      load={(after, signal) =>
        person.list({ limit: pageRows, ...(search === '' ? {} : { search }), ...after }, { signal })
      }
      idOf={(row) => row.id}
      nameOf={(row) => row.name}
      columns={columnsFor(sites.nameOf, orgUnits.nameOf)}
      fieldsOf={(row) => fieldsFor(sites.options, orgUnits.options, row)}
      create={(values) => person.create(withoutEmpty(values) as PersonInput)}
      update={({ id, version }, values) => person.update({ ...changeFrom(values), personId: id, version })}
      end={({ id }) => person.retire({ personId: id })}
      importCsv={(file) => person.import(file)}
      filter={
        <TextInput
          size="xs"
          w={{ base: '100%', xs: 300 }}
          maw="100%"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          leftSection={<IconSearch size={14} aria-hidden />}
          placeholder="Name or e-mail address"
          aria-label="Search people"
        />
      }
    />
  )
}

/** Everybody reads some language, so an emptied one stays as it is. */
function changeFrom(values: Values) {
  const { language, ...rest } = emptyAsNull(values)
  return language === null ? rest : { ...rest, language }
}

type NameOf = (id: string | null) => string

function columnsFor(siteName: NameOf, orgUnitName: NameOf): ListColumn<Person>[] {
  return [
    { header: 'Name', cell: (person) => <b>{person.name}</b> },
    { header: 'E-mail', cell: (person) => person.email },
    { header: 'Org unit', isMinor: true, cell: (person) => orgUnitName(person.orgUnitId) },
    { header: 'Site', isMinor: true, cell: (person) => siteName(person.siteId) },
    { header: 'Works as', isMinor: true, cell: (person) => person.jobRole ?? '' },
  ]
}

function fieldsFor(sites: Options['options'], orgUnits: Options['options'], person: Person | undefined): Field[] {
  return [
    { name: 'name', label: 'Name', isRequired: true, initial: person?.name ?? '' },
    { name: 'email', label: 'E-mail address', kind: 'email', isRequired: true, initial: person?.email ?? '' },
    { name: 'orgUnitId', label: 'Org unit', kind: 'choice', options: orgUnits, initial: person?.orgUnitId ?? '' },
    { name: 'siteId', label: 'Site', kind: 'choice', options: sites, initial: person?.siteId ?? '' },
    { name: 'jobRole', label: 'Works as', description: 'cashier, sales, nurse', initial: person?.jobRole ?? '' },
    { name: 'language', label: 'Language', description: 'en, de-CH', initial: person?.language ?? '' },
    {
      name: 'timeZone',
      label: 'Time zone',
      description: 'Empty means that of the site',
      initial: person?.timeZone ?? '',
    },
  ]
}
