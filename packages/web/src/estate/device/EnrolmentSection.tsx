import { ActionIcon, Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { SettingsSection } from '../settings/SettingsSection.tsx'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { FreshSecret } from '#/platform/ApiKeysSection.tsx'
import { EffectDialog } from '#/ui/ConfirmDialog.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { RecordDialog, type Field, type Values } from '#/ui/form/RecordDialog.tsx'
import { formatMoment } from '#/ui/format.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type Token = Awaited<ReturnType<Client['estate']['enrolmentToken']['list']>>['items'][number]

const pageRows = 100

/** How devices come to know this server. */
export function EnrolmentSection() {
  const [isMaking, making] = useDisclosure()
  const [revoked, setRevoked] = useState<Token | null>(null)
  const canEnrol = useCan('device.enrol')
  const acts = useTokenActs()
  const fields = useFields()
  const list = useKeysetList([...orpc.estate.enrolmentToken.key(), 'list'], (after, signal) =>
    client.estate.enrolmentToken.list({ limit: pageRows, ...after }, { signal }),
  )
  return (
    <SettingsSection
      title="Enrolment"
      lead="A device enrols once with a token and makes its own key. The token is shown once, when it is made."
      actions={
        canEnrol ? (
          <Button leftSection={<IconPlus size={15} />} onClick={making.open}>
            Make token
          </Button>
        ) : null
      }
    >
      {acts.create.data === undefined ? null : <FreshSecret what="token" secret={acts.create.data.token} />}
      <KeysetTable
        label="Enrolment tokens"
        list={list}
        idOf={(token) => token.id}
        columns={[...columns, ...(canEnrol ? [revokeColumn(setRevoked)] : [])]}
        empty={<EmptyState>No token yet. An agent takes one with --token and then shows up in the Fleet.</EmptyState>}
      />
      <RecordDialog
        isOpen={isMaking}
        onClose={making.close}
        title="Make enrolment token"
        verb="Make token"
        fields={fields}
        error={acts.create.error}
        isBusy={acts.create.isPending}
        onSubmit={(values) => acts.create.mutate(values, { onSuccess: making.close })}
      />
      <EffectDialog
        isOpen={revoked !== null}
        onClose={() => setRevoked(null)}
        title={`Revoke ${revoked?.label ?? ''}`}
        verb="Revoke token"
        effect="Nobody gets in with it any more. Devices that are in stay in."
        error={acts.revoke.error}
        isBusy={acts.revoke.isPending}
        onConfirm={() => {
          if (revoked !== null) acts.revoke.mutate(revoked.id, { onSuccess: () => setRevoked(null) })
        }}
      />
    </SettingsSection>
  )
}

function useTokenActs() {
  const queries = useQueryClient()
  const refresh = () => queries.invalidateQueries({ queryKey: orpc.estate.enrolmentToken.key() })
  return {
    create: useMutation({
      mutationFn: (values: Values) => client.estate.enrolmentToken.create(inputOf(values)),
      onSuccess: refresh,
    }),
    revoke: useMutation({
      mutationFn: (enrolmentTokenId: Token['id']) => client.estate.enrolmentToken.revoke({ enrolmentTokenId }),
      onSuccess: refresh,
    }),
  }
}

function inputOf(values: Values): Parameters<Client['estate']['enrolmentToken']['create']>[0] {
  const text = (name: string) => values[name]?.trim() ?? ''
  return {
    label: text('label'),
    site: text('site') || null,
    orgUnit: text('orgUnit') || null,
    roles: text('roles')
      .split(/[\s,]+/)
      .filter((role) => role !== ''),
    usesMax: Number(text('usesMax')),
    validHours: Number(text('validHours')),
    fromNetwork: text('fromNetwork') || null,
    autoApprove: text('approval') === 'at-once',
  }
}

const optionsMax = 200

/** A token names places by their codes, as a script would. */
function useFields(): Field[] {
  const sites = useQuery(orpc.estate.site.list.queryOptions({ input: { limit: optionsMax } }))
  const orgUnits = useQuery(orpc.estate.orgUnit.list.queryOptions({ input: { limit: optionsMax } }))
  const optionsOf = (places: readonly { code: string; name: string }[] | undefined) =>
    (places ?? []).map(({ code, name }) => ({ value: code, label: name }))
  return [
    { name: 'label', label: 'Label', description: 'What it is for: tills of the new shop', isRequired: true },
    { name: 'site', label: 'Site', kind: 'choice', options: optionsOf(sites.data?.items) },
    { name: 'orgUnit', label: 'Org unit', kind: 'choice', options: optionsOf(orgUnits.data?.items) },
    { name: 'roles', label: 'Roles', description: 'Words that audiences ask for: shop till' },
    { name: 'usesMax', label: 'Devices', kind: 'number', description: 'So many get in with it', initial: '1' },
    { name: 'validHours', label: 'Valid for hours', kind: 'number', initial: '24' },
    { name: 'fromNetwork', label: 'Only from network', description: '10.1.0.0/16; empty means from anywhere' },
    {
      name: 'approval',
      label: 'Approval',
      kind: 'choice',
      isRequired: true,
      initial: 'by-person',
      options: [
        { value: 'by-person', label: 'A person approves each device' },
        { value: 'at-once', label: 'Devices are let in at once' },
      ],
    },
  ]
}

const stateWords: Readonly<Record<Token['state'], string>> = {
  usable: 'usable',
  'used-up': 'used up',
  expired: 'expired',
  revoked: 'revoked',
}

const columns: ListColumn<Token>[] = [
  { header: 'Label', cell: (token) => <b>{token.label}</b> },
  { header: 'State', cell: (token) => stateWords[token.state] },
  { header: 'Devices', isNumber: true, cell: (token) => `${token.uses} of ${token.usesMax}` },
  { header: 'Site', isMinor: true, cell: (token) => token.site ?? '' },
  { header: 'Org unit', isMinor: true, cell: (token) => token.orgUnit ?? '' },
  { header: 'Roles', isMinor: true, cell: (token) => token.roles.join(', ') },
  { header: 'Approval', isMinor: true, cell: (token) => (token.autoApprove ? 'at once' : 'by a person') },
  { header: 'Made by', isMinor: true, cell: (token) => token.madeBy },
  { header: 'Ends', isMinor: true, cell: (token) => formatMoment(token.expiresAt) },
]

function revokeColumn(revoke: (token: Token) => void): ListColumn<Token> {
  return {
    header: 'Actions',
    isQuiet: true,
    cell: (token) =>
      token.state === 'usable' ? (
        <ActionIcon
          variant="subtle"
          color="gray"
          size={24}
          aria-label={`Revoke ${token.label}`}
          onClick={() => revoke(token)}
        >
          <IconTrash size={15} />
        </ActionIcon>
      ) : null,
  }
}
