import { Button, SegmentedControl, Select } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import styles from './PackagePage.module.css'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { EffectDialog } from '#/ui/ConfirmDialog.tsx'
import { DigestText } from '#/ui/DigestText.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { KeyValue } from '#/ui/KeyValue.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { countOf, formatBytes, formatCount } from '#/ui/format.ts'
import { levelWords } from '#/ui/levels.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type Version = Awaited<ReturnType<Client['estate']['library']['getVersion']>>
type Variant = Version['variants'][number]
type Module = Variant['modules'][number]
type FileRow = Awaited<ReturnType<Client['estate']['library']['listFiles']>>['items'][number]

const fileRows = 200

/** One package: its versions, and of one version what each device would get. */
export function PackagePage() {
  const { packageName: name } = useParams({ from: '/shell/library/$packageName' })
  const search = useSearch({ from: '/shell/library/$packageName' })
  const navigate = useNavigate()
  const found = useQuery(orpc.estate.library.getPackage.queryOptions({ input: { name } }))
  const shown = search.version ?? found.data?.versions[0]?.version
  return (
    <Page
      title={name}
      note={found.data === undefined ? undefined : `${found.data.vendor}, ${found.data.class}`}
      trail={<AppLink to="/library">Library</AppLink>}
    >
      {found.error === null ? null : (
        <ProblemAlert
          title="This package could not be loaded"
          error={found.error}
          onRetry={() => void found.refetch()}
        />
      )}
      {found.isPending ? <Loading what="the package" lines={8} /> : null}
      {found.data === undefined || shown === undefined ? null : (
        <>
          <Select
            size="xs"
            w={{ base: '100%', xs: 300 }}
            maw="100%"
            mb={12}
            label="Version"
            allowDeselect={false}
            value={shown}
            data={found.data.versions.map((each) => ({
              value: each.version,
              label: each.state === 'retired' ? `${each.version} (retired)` : each.version,
            }))}
            onChange={(version) => {
              if (version !== null)
                void navigate({ to: '/library/$packageName', params: { packageName: name }, search: { version } })
            }}
          />
          <VersionDetails name={name} version={shown} />
        </>
      )}
    </Page>
  )
}

function VersionDetails({ name, version }: { name: string; version: string }) {
  const found = useQuery(orpc.estate.library.getVersion.queryOptions({ input: { name, version } }))
  const [chosen, setChosen] = useState<string | null>(null)
  if (found.error !== null) {
    return (
      <ProblemAlert title="This version could not be loaded" error={found.error} onRetry={() => void found.refetch()} />
    )
  }
  if (found.data === undefined) return <Loading what="the version" lines={6} />
  const { variants } = found.data
  const variant = variants.find((each) => each.id === chosen) ?? variants[0]
  return (
    <div className={styles.grid}>
      <VersionCard version={found.data} />
      {variant === undefined ? null : (
        <SectionCard
          title="Variants"
          hint="A device takes the first that fits it"
          actions={
            variants.length < 2 ? undefined : (
              <SegmentedControl
                size="xs"
                aria-label="Variant"
                value={variant.id}
                onChange={setChosen}
                data={variants.map((each) => each.id)}
              />
            )
          }
        >
          <VariantDetails variant={variant} />
        </SectionCard>
      )}
      {variant === undefined ? null : <FilesCard name={name} version={version} variant={variant.id} />}
    </div>
  )
}

function VersionCard({ version }: { version: Version }) {
  const [isRetiring, retiring] = useDisclosure()
  const canRetire = useCan('library.retire')
  const queries = useQueryClient()
  const { name, version: number } = version
  const retire = useMutation({
    mutationFn: () => client.estate.library.retireVersion({ name, version: number }),
    onSuccess: async () => {
      retiring.close()
      await queries.invalidateQueries({ queryKey: orpc.estate.library.key() })
    },
  })
  return (
    <SectionCard
      title={`Version ${number}`}
      actions={
        <>
          <StateTag machine="package" state={version.state} />
          {canRetire && version.state === 'active' ? (
            <Button variant="default" onClick={retiring.open}>
              Retire…
            </Button>
          ) : null}
        </>
      }
    >
      <KeyValue
        lines={[
          { key: 'Digest', value: <DigestText digest={version.index.digest} /> },
          { key: 'Size', value: `${formatBytes(version.sizeBytes)} in ${countOf(version.fileCount, 'file')}` },
          {
            key: 'Uploaded',
            value: (
              <>
                <RelativeTime at={version.uploadedAt} /> by {version.uploadedBy}
              </>
            ),
          },
          ...(version.retiredAt === null ? [] : [{ key: 'Retired', value: <RelativeTime at={version.retiredAt} /> }]),
        ]}
      />
      <EffectDialog
        isOpen={isRetiring}
        isEnding
        onClose={retiring.close}
        title={`Retire ${name} ${number}`}
        verb="Retire version"
        effect="New releases cannot choose it. Devices that have it keep it, and its digest and bytes stay."
        error={retire.error}
        isBusy={retire.isPending}
        onConfirm={() => retire.mutate()}
      />
    </SectionCard>
  )
}

function VariantDetails({ variant }: { variant: Variant }) {
  const { recipe } = variant
  return (
    <>
      <KeyValue
        lines={[
          { key: 'Fits', value: <span className="mono">{conditionWords(variant.when)}</span> },
          { key: 'Installs as', value: installWords[recipe.install.type] ?? recipe.install.type },
          { key: 'Free disk needed', value: formatBytes(recipe.requires.freeDiskBytes) },
          { key: 'Verified means', value: levelWords(recipe.verify.level) },
          {
            key: 'Health check',
            value:
              recipe.verify.health === undefined ? (
                'none'
              ) : (
                <span className="mono">{[recipe.verify.health.run, ...recipe.verify.health.args].join(' ')}</span>
              ),
          },
          {
            key: 'Goes back by',
            value: recipe.rollback.mode === 'switch' ? 'switching to the kept version' : 'nothing',
          },
          ...(recipe.conflicts.length === 0
            ? []
            : [
                {
                  key: 'Conflicts with',
                  value: recipe.conflicts.map((each) => `${each.name} ${each.version ?? ''}`).join(', '),
                },
              ]),
        ]}
      />
      <div className={styles.modules}>
        <ListTable label="Modules" rows={variant.modules} idOf={(module) => module.name} columns={moduleColumns} />
      </div>
    </>
  )
}

const installWords: Readonly<Record<string, string>> = {
  tree: 'a folder beside the version before, switched in one step',
}

function conditionWords(when: Variant['when']): string {
  const parts = [
    when.os === undefined ? null : `os:${when.os}`,
    when.id === undefined ? null : `os.id:${when.id.join('|')}`,
    when.version === undefined ? null : `os.version ${when.version}`,
    when.arch === undefined ? null : `arch:${when.arch.join('|')}`,
  ].filter((part) => part !== null)
  return parts.length === 0 ? 'every device' : parts.join(' ')
}

const moduleColumns: ListColumn<Module>[] = [
  { header: 'Module', cell: (module) => <b>{module.name}</b> },
  { header: 'For', cell: (module) => (module.roles.includes('*') ? 'everybody' : module.roles.join(', ')) },
  { header: 'Files', isNumber: true, cell: (module) => formatCount(module.fileCount) },
  { header: 'Size', isNumber: true, cell: (module) => formatBytes(module.sizeBytes) },
  { header: 'Chunks', isNumber: true, isMinor: true, cell: (module) => formatCount(module.chunkCount) },
  { header: 'Digest', isMinor: true, cell: (module) => <DigestText digest={module.digest} /> },
]

function FilesCard({ name, version, variant }: { name: string; version: string; variant: string }) {
  const list = useKeysetList([...orpc.estate.library.key(), 'files', name, version, variant], (after, signal) =>
    client.estate.library.listFiles({ name, version, variant, limit: fileRows, ...after }, { signal }),
  )
  return (
    <SectionCard title="Files" hint={`What ${variant} installs`}>
      <KeysetTable
        label="Files"
        list={list}
        idOf={(file) => `${file.module} ${file.path}`}
        columns={fileColumns}
        empty={<EmptyState>This variant installs no files. Look at another variant above.</EmptyState>}
      />
    </SectionCard>
  )
}

const fileColumns: ListColumn<FileRow>[] = [
  {
    header: 'Path',
    cell: (file) => (
      <span className="mono">
        {file.path}
        {file.linkTarget === null ? '' : ` → ${file.linkTarget}`}
      </span>
    ),
  },
  { header: 'Module', isMinor: true, cell: (file) => file.module },
  {
    header: 'Mode',
    isMinor: true,
    cell: (file) => (file.mode === null ? 'link' : file.mode.toString(8).padStart(4, '0')),
  },
  { header: 'Size', isNumber: true, cell: (file) => (file.sizeBytes === null ? '' : formatBytes(file.sizeBytes)) },
  { header: 'Hash', isMinor: true, cell: (file) => (file.sha256 === null ? '' : <DigestText digest={file.sha256} />) },
]
