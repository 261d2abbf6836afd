import { Chip, Group, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import styles from './ConfigurationPage.module.css'
import { classWords, type Item } from './cmdb-words.ts'
import { client, orpc } from '#/api/client.ts'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

const pageRows = 100
const typingMs = 150

export function ItemsView() {
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text.trim(), typingMs)
  const [ciClass, setClass] = useState<Item['class'] | ''>('')
  const list = useKeysetList([...orpc.estate.configuration.key(), 'items', search, ciClass], (after, signal) =>
    client.estate.configuration.listItems(
      {
        limit: pageRows,
        ...(search === '' ? {} : { search }),
        ...(ciClass === '' ? {} : { class: ciClass }),
        ...after,
      },
      { signal },
    ),
  )
  return (
    <>
      <div className={styles.views}>
        <TextInput
          size="xs"
          w={{ base: '100%', xs: 300 }}
          maw="100%"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          leftSection={<IconSearch size={14} aria-hidden />}
          placeholder="Part of a name"
          aria-label="Search items"
        />
        <Chip.Group value={ciClass} onChange={(next) => setClass(next)}>
          <Group gap={6}>
            <Chip value="" size="xs" radius={6} variant="outline">
              All
            </Chip>
            {(Object.keys(classWords) as Item['class'][]).map((each) => (
              <Chip key={each} value={each} size="xs" radius={6} variant="outline">
                {classWords[each]}
              </Chip>
            ))}
          </Group>
        </Chip.Group>
      </div>
      <KeysetTable
        label="Items"
        list={list}
        idOf={(item) => item.id}
        columns={columns}
        empty={
          <EmptyState>
            {search === '' && ciClass === ''
              ? 'No items yet. Devices enter when they enrol, software when it is first verified on one.'
              : 'No item matches this filter.'}
          </EmptyState>
        }
      />
    </>
  )
}

const columns: ListColumn<Item>[] = [
  {
    header: 'Item',
    cell: (item) => (
      <Link to="/fleet/cmdb/$itemId" params={{ itemId: item.id }}>
        {item.name}
      </Link>
    ),
  },
  { header: 'Class', cell: (item) => classWords[item.class] },
  { header: 'State', cell: (item) => <StateTag machine="item" state={item.state} /> },
  { header: 'Since', isNumber: true, isMinor: true, cell: (item) => <RelativeTime at={item.since} /> },
]
