import { ActionIcon, Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { SettingsSection } from '../settings/SettingsSection.tsx'
import { useOrgUnitOptions, usePersonOptions, useSiteOptions } from '../settings/use-options.ts'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { EffectDialog } from '#/ui/ConfirmDialog.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { CsvImportButton } from '#/ui/form/CsvImportButton.tsx'
import { RecordDialog, type Values } from '#/ui/form/RecordDialog.tsx'
import { withoutEmpty } from '#/ui/form/input.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type Grant = Awaited<ReturnType<Client['estate']['role']['list']>>['items'][number]
type GrantInput = Parameters<Client['estate']['role']['grant']>[0]

const pageRows = 100

/** Who may do what, and where. */
export function RolesSection() {
  const [isGranting, granting] = useDisclosure()
  const [taken, setTaken] = useState<Grant | null>(null)
  const canGrant = useCan('role.grant')
  const acts = useGrantActs()
  const definitions = useQuery(orpc.estate.role.definitions.queryOptions())
  const people = usePersonOptions()
  const sites = useSiteOptions()
  const orgUnits = useOrgUnitOptions()
  const titleOf = (role: string) => definitions.data?.find((each) => each.role === role)?.title ?? role
  const list = useKeysetList([...orpc.estate.role.key(), 'list'], (after, signal) =>
    client.estate.role.list({ limit: pageRows, ...after }, { signal }),
  )
  return (
    <SettingsSection
      title="Roles"
      lead="A role can hold everywhere, or only in an org unit or at a site."
      actions={
        canGrant ? (
          <>
            <CsvImportButton
              what="roles"
              onImport={(file) => client.estate.role.import(file)}
              onDone={() => void acts.refresh()}
            />
            <Button leftSection={<IconPlus size={15} />} onClick={granting.open}>
              Give role
            </Button>
          </>
        ) : null
      }
    >
      <KeysetTable
        label="Roles"
        list={list}
        idOf={(grant) => grant.id}
        columns={[
          ...columnsFor(titleOf, orgUnits.nameOf, sites.nameOf),
          ...(canGrant ? [takeColumn(titleOf, setTaken)] : []),
        ]}
        empty={<EmptyState>Nobody has a role yet. Give one, or import a table of people and roles.</EmptyState>}
      />
      <RecordDialog
        isOpen={isGranting}
        onClose={granting.close}
        title="Give role"
        verb="Give role"
        fields={[
          { name: 'personId', label: 'Person', kind: 'choice', options: people.options, isRequired: true },
          {
            name: 'role',
            label: 'Role',
            kind: 'choice',
            isRequired: true,
            options: (definitions.data ?? []).map((each) => ({ value: each.role, label: each.title })),
          },
          {
            name: 'orgUnitId',
            label: 'Only in org unit',
            kind: 'choice',
            placeholder: 'In all of them',
            options: orgUnits.options,
          },
          {
            name: 'siteId',
            label: 'Only at site',
            kind: 'choice',
            placeholder: 'At all of them',
            options: sites.options,
          },
        ]}
        error={acts.grant.error}
        isBusy={acts.grant.isPending}
        onSubmit={(values) => acts.grant.mutate(values, { onSuccess: granting.close })}
      />
      <EffectDialog
        isOpen={taken !== null}
        isEnding
        onClose={() => setTaken(null)}
        title={`Take ${taken === null ? '' : titleOf(taken.role)} from ${taken?.personName ?? ''}`}
        verb="Take role"
        effect="What the role allows ends at once, in open pages too."
        error={acts.revoke.error}
        isBusy={acts.revoke.isPending}
        onConfirm={() => {
          if (taken !== null) acts.revoke.mutate(taken.id, { onSuccess: () => setTaken(null) })
        }}
      />
    </SettingsSection>
  )
}

function useGrantActs() {
  const queries = useQueryClient()
  const refresh = () => queries.invalidateQueries({ queryKey: orpc.estate.role.key() })
  return {
    refresh,
    grant: useMutation({
      mutationFn: (values: Values) => client.estate.role.grant(withoutEmpty(values) as GrantInput),
      onSuccess: refresh,
    }),
    revoke: useMutation({
      mutationFn: (roleGrantId: Grant['id']) => client.estate.role.revoke({ roleGrantId }),
      onSuccess: refresh,
    }),
  }
}

type NameOf = (id: string | null) => string

function columnsFor(titleOf: (role: string) => string, orgUnitName: NameOf, siteName: NameOf): ListColumn<Grant>[] {
  return [
    { header: 'Person', cell: (grant) => <b>{grant.personName}</b> },
    { header: 'Role', cell: (grant) => titleOf(grant.role) },
    {
      header: 'Where',
      cell: (grant) =>
        [orgUnitName(grant.orgUnitId), siteName(grant.siteId)].filter((name) => name !== '').join(', ') || 'everywhere',
    },
    { header: 'Given by', isMinor: true, cell: (grant) => grant.grantedBy },
    { header: 'Since', isNumber: true, isMinor: true, cell: (grant) => <RelativeTime at={grant.grantedAt} /> },
  ]
}

function takeColumn(titleOf: (role: string) => string, take: (grant: Grant) => void): ListColumn<Grant> {
  return {
    header: 'Actions',
    isQuiet: true,
    cell: (grant) => (
      <ActionIcon
        variant="subtle"
        color="gray"
        size={24}
        aria-label={`Take ${titleOf(grant.role)} from ${grant.personName}`}
        onClick={() => take(grant)}
      >
        <IconTrash size={15} />
      </ActionIcon>
    ),
  }
}
