import { Button, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch, IconUpload } from '@tabler/icons-react'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { UploadDialog } from './UploadDialog.tsx'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { Page } from '#/ui/Page.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { formatBytes } from '#/ui/format.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type PackageRow = Awaited<ReturnType<Client['estate']['library']['listPackages']>>['items'][number]

const pageRows = 100
const searchDelayMs = 150

/** What may we use? */
export function LibraryPage() {
  const { upload } = useSearch({ from: '/shell/library' })
  const navigate = useNavigate()
  const canUpload = useCan('library.upload')
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text.trim(), searchDelayMs)
  const list = useKeysetList([...orpc.estate.library.key(), 'packages', search], (after, signal) =>
    client.estate.library.listPackages({ limit: pageRows, ...(search === '' ? {} : { search }), ...after }, { signal }),
  )
  const openUpload = () => void navigate({ to: '/library', search: { upload: true } })
  const uploadButton = canUpload ? (
    <Button leftSection={<IconUpload size={15} />} onClick={openUpload}>
      Upload package
    </Button>
  ) : undefined
  return (
    <Page title="Library" actions={uploadButton}>
      <TextInput
        size="xs"
        w={{ base: '100%', xs: 300 }}
        maw="100%"
        mb={10}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        leftSection={<IconSearch size={14} aria-hidden />}
        placeholder="Part of a package’s name"
        aria-label="Search packages"
      />
      <KeysetTable
        label="Packages"
        list={list}
        idOf={(row) => row.name}
        columns={columns}
        empty={<EmptyState>{search === '' ? nothingWords(canUpload) : `No package matches ${search}.`}</EmptyState>}
      />
      <UploadDialog
        isOpen={upload === true && canUpload}
        onClose={() => void navigate({ to: '/library', search: {}, replace: true })}
      />
    </Page>
  )
}

function nothingWords(canUpload: boolean): string {
  return canUpload
    ? 'No package yet. Make one with “bascule pack” from a folder with bascule.yaml, then upload it here or with “bascule push”.'
    : 'No package yet. A release manager uploads the first here, or a pipeline with “bascule push” and an API key.'
}

const columns: ListColumn<PackageRow>[] = [
  {
    header: 'Package',
    cell: (row) => (
      <Link to="/library/$packageName" params={{ packageName: row.name }}>
        {row.name}
      </Link>
    ),
  },
  { header: 'Newest upload', cell: (row) => <span className="num">{row.latest.version}</span> },
  { header: 'Versions', isNumber: true, cell: (row) => row.versionCount },
  { header: 'Vendor', isMinor: true, cell: (row) => row.vendor },
  { header: 'Class', isMinor: true, cell: (row) => row.class },
  { header: 'Variants', isMinor: true, cell: (row) => row.latest.variants.join(', ') },
  { header: 'Size', isNumber: true, cell: (row) => formatBytes(row.latest.sizeBytes) },
  {
    header: 'Uploaded',
    isNumber: true,
    isMinor: true,
    cell: (row) => <RelativeTime at={row.latest.uploadedAt} />,
  },
]
