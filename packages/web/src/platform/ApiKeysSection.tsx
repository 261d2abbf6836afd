import { ActionIcon, Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { SettingsSection } from '#/estate/settings/SettingsSection.tsx'
import { useOrgUnitOptions, useSiteOptions } from '#/estate/settings/use-options.ts'
import { EffectDialog } from '#/ui/ConfirmDialog.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { FreshSecret } from '#/ui/FreshSecret.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { RecordDialog, type Values } from '#/ui/form/RecordDialog.tsx'
import { withoutEmpty } from '#/ui/form/input.ts'
import { formatDay } from '#/ui/format.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type ApiKey = Awaited<ReturnType<Client['platform']['apiKey']['list']>>['items'][number]
type ApiKeyInput = Parameters<Client['platform']['apiKey']['create']>[0]

const pageRows = 100

/** Keys of machines: pipelines, scripts, other systems. */
export function ApiKeysSection() {
  const [isMaking, making] = useDisclosure()
  const [revoked, setRevoked] = useState<ApiKey | null>(null)
  const canWrite = useCan('api-key.write')
  const acts = useKeyActs()
  const roles = useQuery(orpc.estate.role.definitions.queryOptions())
  const sites = useSiteOptions()
  const orgUnits = useOrgUnitOptions()
  const list = useKeysetList([...orpc.platform.apiKey.key(), 'list'], (after, signal) =>
    client.platform.apiKey.list({ limit: pageRows, ...after }, { signal }),
  )
  return (
    <SettingsSection
      title="API keys"
      lead="A key acts with one role and ends by itself. It is shown once, when it is made."
      actions={
        canWrite ? (
          <Button leftSection={<IconPlus size={15} />} onClick={making.open}>
            Make key
          </Button>
        ) : null
      }
    >
      {acts.create.data === undefined ? null : <FreshSecret what="key" secret={acts.create.data.key} />}
      <KeysetTable
        label="API keys"
        list={list}
        idOf={(key) => key.id}
        columns={[...columns, ...(canWrite ? [revokeColumn(setRevoked)] : [])]}
        empty={<EmptyState>No keys yet. A pipeline needs one to upload packages.</EmptyState>}
      />
      <RecordDialog
        isOpen={isMaking}
        onClose={making.close}
        title="Make API key"
        verb="Make key"
        fields={[
          { name: 'name', label: 'Name', description: 'Which machine will use it', isRequired: true },
          {
            name: 'role',
            label: 'Role',
            kind: 'choice',
            isRequired: true,
            initial: 'pipeline',
            options: (roles.data ?? []).map((each) => ({ value: each.role, label: each.title })),
          },
          { name: 'orgUnitId', label: 'Only in org unit', kind: 'choice', options: orgUnits.options },
          { name: 'siteId', label: 'Only at site', kind: 'choice', options: sites.options },
          { name: 'expiresInDays', label: 'Ends after days', kind: 'number', initial: '90', isRequired: true },
        ]}
        error={acts.create.error}
        isBusy={acts.create.isPending}
        onSubmit={(values) => acts.create.mutate(values, { onSuccess: making.close })}
      />
      <EffectDialog
        isOpen={revoked !== null}
        onClose={() => setRevoked(null)}
        title={`Revoke ${revoked?.name ?? ''}`}
        verb="Revoke key"
        effect="The next request with this key is refused. It cannot be brought back."
        error={acts.revoke.error}
        isBusy={acts.revoke.isPending}
        onConfirm={() => {
          if (revoked !== null) acts.revoke.mutate(revoked.id, { onSuccess: () => setRevoked(null) })
        }}
      />
    </SettingsSection>
  )
}

function useKeyActs() {
  const queries = useQueryClient()
  const refresh = () => queries.invalidateQueries({ queryKey: orpc.platform.apiKey.key() })
  return {
    create: useMutation({
      mutationFn: (values: Values) =>
        client.platform.apiKey.create({
          ...(withoutEmpty(values) as unknown as ApiKeyInput),
          expiresInDays: Number(values['expiresInDays']),
        }),
      onSuccess: refresh,
    }),
    revoke: useMutation({
      mutationFn: (apiKeyId: ApiKey['id']) => client.platform.apiKey.revoke({ apiKeyId }),
      onSuccess: refresh,
    }),
  }
}

const columns: ListColumn<ApiKey>[] = [
  { header: 'Name', cell: (key) => <b>{key.name}</b> },
  { header: 'Begins with', isMinor: true, cell: (key) => <span className="mono">{key.start}…</span> },
  { header: 'Role', cell: (key) => key.role },
  { header: 'Made by', isMinor: true, cell: (key) => key.madeBy },
  { header: 'Made', isMinor: true, cell: (key) => <RelativeTime at={key.createdAt} /> },
  { header: 'Ends', cell: (key) => (key.revokedAt === null ? formatDay(key.expiresAt) : 'revoked') },
]

function revokeColumn(revoke: (key: ApiKey) => void): ListColumn<ApiKey> {
  return {
    header: 'Actions',
    isQuiet: true,
    cell: (key) =>
      key.revokedAt === null ? (
        <ActionIcon
          variant="subtle"
          color="gray"
          size={24}
          aria-label={`Revoke ${key.name}`}
          onClick={() => revoke(key)}
        >
          <IconTrash size={15} />
        </ActionIcon>
      ) : null,
  }
}
