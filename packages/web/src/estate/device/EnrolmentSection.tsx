import { ActionIcon, Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { EnrolCommands } from '../settings/EnrolCommands.tsx'
import { SettingsSection } from '../settings/SettingsSection.tsx'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { EffectDialog } from '#/ui/ConfirmDialog.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { RecordDialog, type Field, type Values } from '#/ui/form/RecordDialog.tsx'
import { formatCount, formatMoment } from '#/ui/format.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type Token = Awaited<ReturnType<Client['estate']['enrolmentToken']['list']>>['items'][number]
type TokenInput = Parameters<Client['estate']['enrolmentToken']['create']>[0]

const pageRows = 100
const optionsMax = 500

/** How devices come to know this server. */
export function EnrolmentSection() {
  const [isMaking, making] = useDisclosure()
  const [revoked, setRevoked] = useState<Token | null>(null)
  const canEnrol = useCan('device.enrol')
  const acts = useTokenActs()
  const fields = useTokenFields()
  const list = useKeysetList([...orpc.estate.enrolmentToken.key(), 'list'], (after, signal) =>
    client.estate.enrolmentToken.list({ limit: pageRows, ...after }, { signal }),
  )
  return (
    <SettingsSection
      title="Enrolment"
      lead="A device enrols once with a token and makes its own key. What the token says, the device gets: site, org unit and roles."
      actions={
        canEnrol ? (
          <Button leftSection={<IconPlus size={15} />} onClick={making.open}>
            Make token
          </Button>
        ) : null
      }
    >
      {acts.create.data === undefined ? null : (
        <EnrolCommands token={acts.create.data.token} rootSha256={acts.create.data.rootSha256} />
      )}
      <KeysetTable
        label="Enrolment tokens"
        list={list}
        idOf={(token) => token.id}
        columns={[...columns, ...(canEnrol ? [revokeColumn(setRevoked)] : [])]}
        empty={<EmptyState>No tokens yet. Make one; the page then shows the command to run on the device.</EmptyState>}
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
        isEnding
        onClose={() => setRevoked(null)}
        title={`Revoke ${revoked?.label ?? ''}`}
        verb="Revoke token"
        effect="Nobody gets in with it any more. Devices that enrolled with it stay."
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
      mutationFn: (values: Values) => client.estate.enrolmentToken.create(inputFrom(values)),
      onSuccess: refresh,
    }),
    revoke: useMutation({
      mutationFn: (enrolmentTokenId: Token['id']) => client.estate.enrolmentToken.revoke({ enrolmentTokenId }),
      onSuccess: refresh,
    }),
  }
}

function inputFrom(values: Values): TokenInput {
  const { label = '', site = '', orgUnit = '', roles = '', usesMax = '1', validHours = '24', fromNetwork = '' } = values
  return {
    label,
    roles: roles.split(/[\s,]+/).filter((role) => role !== ''),
    autoApprove: values['approval'] === 'automatic',
    usesMax: Number(usesMax),
    validHours: Number(validHours),
    ...(site === '' ? {} : { site }),
    ...(orgUnit === '' ? {} : { orgUnit }),
    ...(fromNetwork.trim() === '' ? {} : { fromNetwork: fromNetwork.trim() }),
  }
}

/** A token names places by their codes, as files and queries do. */
function useTokenFields(): Field[] {
  const input = { limit: optionsMax }
  const sites = useQuery(orpc.estate.site.list.queryOptions({ input })).data?.items ?? []
  const orgUnits = useQuery(orpc.estate.orgUnit.list.queryOptions({ input })).data?.items ?? []
  const optionOf = ({ code, name }: { code: string; name: string }) => ({ value: code, label: name })
  return [
    { name: 'label', label: 'Label', description: 'What it is for: tills in Leeds', isRequired: true },
    { name: 'site', label: 'Site', kind: 'choice', options: sites.map(optionOf) },
    { name: 'orgUnit', label: 'Org unit', kind: 'choice', options: orgUnits.map(optionOf) },
    { name: 'roles', label: 'Roles', description: 'Words with commas: till, pilot' },
    {
      name: 'approval',
      label: 'Approval',
      kind: 'choice',
      isRequired: true,
      initial: 'person',
      options: [
        { value: 'person', label: 'A person approves each device' },
        { value: 'automatic', label: 'Devices are approved at once' },
      ],
    },
    { name: 'usesMax', label: 'Devices', kind: 'number', initial: '1', isRequired: true },
    { name: 'validHours', label: 'Valid for hours', kind: 'number', initial: '24', isRequired: true },
    { name: 'fromNetwork', label: 'Only from network', description: '10.1.0.0/16; empty means from anywhere' },
  ]
}

const columns: ListColumn<Token>[] = [
  { header: 'Label', cell: (token) => <b>{token.label === '' ? 'without label' : token.label}</b> },
  { header: 'State', cell: (token) => <StateTag machine="token" state={token.state} /> },
  {
    header: 'Devices',
    isNumber: true,
    cell: (token) => `${formatCount(token.uses)} of ${formatCount(token.usesMax)}`,
  },
  {
    header: 'Gives',
    isMinor: true,
    cell: (token) =>
      [token.site, token.orgUnit, ...token.roles].filter((word) => word !== null).join(', ') || 'nothing',
  },
  { header: 'Approval', isMinor: true, cell: (token) => (token.autoApprove ? 'at once' : 'by a person') },
  { header: 'Made by', isMinor: true, cell: (token) => token.madeBy },
  { header: 'Ends', isNumber: true, isMinor: true, cell: (token) => formatMoment(token.expiresAt) },
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
