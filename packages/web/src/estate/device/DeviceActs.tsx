import { Button, Menu } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { useState } from 'react'
import { useOrgUnitOptions, usePersonOptions, useSiteOptions } from '../settings/use-options.ts'
import {
  useDeviceActs,
  type DeviceActsState,
  type DeviceChange,
  type DeviceSelection,
  type DeviceStateAct,
} from './use-device-acts.ts'
import { useCan } from '#/api/session.ts'
import { EffectDialog, ReasonDialog } from '#/ui/ConfirmDialog.tsx'
import { RecordDialog, type Values } from '#/ui/form/RecordDialog.tsx'
import { countOf } from '#/ui/format.ts'

interface DeviceActsProps {
  devices: DeviceSelection
  count: number
  /** "till-leeds-1" where it is one. */
  name?: string
  onDone?: () => void
}

type Open = 'approve' | 'assign' | DeviceStateAct | null

const stateActs: Record<DeviceStateAct, { verb: string; effect: string }> = {
  suspend: { verb: 'Suspend', effect: 'gets nothing new until it is resumed. What it runs stays as it is.' },
  resume: { verb: 'Resume', effect: 'takes part in releases again.' },
  revoke: {
    verb: 'Revoke',
    effect: 'is not known to the server any more: its key is refused for ever. To come back it enrols anew.',
  },
  decommission: { verb: 'Decommission', effect: 'is taken out of use and leaves the CMDB. Its history stays.' },
}

/** Acts on the devices at hand; each says how many it will touch before it does. */
export function DeviceActs({ devices, count, name, onDone = () => undefined }: DeviceActsProps) {
  const [open, setOpen] = useState<Open>(null)
  const canApprove = useCan('device.approve')
  const canWrite = useCan('device.write')
  const canRevoke = useCan('device.revoke')
  const acts = useDeviceActs(() => {
    setOpen(null)
    onDone()
  })
  if (!canApprove && !canWrite && !canRevoke) return null
  return (
    <>
      <Menu>
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={14} />}>
            Act
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {canApprove ? <Menu.Item onClick={() => setOpen('approve')}>Approve…</Menu.Item> : null}
          {canWrite ? (
            <Menu.Item onClick={() => setOpen('assign')}>Set site, org unit, user or roles…</Menu.Item>
          ) : null}
          {canRevoke ? <StateItems onOpen={setOpen} /> : null}
        </Menu.Dropdown>
      </Menu>
      <Dialogs
        open={open}
        acts={acts}
        devices={devices}
        who={name ?? countOf(count, 'device')}
        onClose={() => setOpen(null)}
      />
    </>
  )
}

function StateItems({ onOpen }: { onOpen: (open: Open) => void }) {
  return (
    <>
      <Menu.Item onClick={() => onOpen('suspend')}>Suspend…</Menu.Item>
      <Menu.Item onClick={() => onOpen('resume')}>Resume…</Menu.Item>
      <Menu.Divider />
      <Menu.Item color="var(--fail-tx)" onClick={() => onOpen('revoke')}>
        Revoke…
      </Menu.Item>
      <Menu.Item color="var(--fail-tx)" onClick={() => onOpen('decommission')}>
        Decommission…
      </Menu.Item>
    </>
  )
}

interface DialogsProps {
  open: Open
  acts: DeviceActsState
  devices: DeviceSelection
  who: string
  onClose: () => void
}

function Dialogs({ open, acts, devices, who, onClose }: DialogsProps) {
  return (
    <>
      <EffectDialog
        isOpen={open === 'approve'}
        onClose={onClose}
        title={`Approve ${who}`}
        verb="Approve"
        effect="Devices that wait for it may take releases from their next check-in. Others stay as they are."
        error={acts.approve.error}
        isBusy={acts.approve.isPending}
        onConfirm={() => acts.approve.mutate(devices)}
      />
      <AssignDialog isOpen={open === 'assign'} acts={acts} devices={devices} who={who} onClose={onClose} />
      {(Object.keys(stateActs) as DeviceStateAct[]).map((action) => (
        <ReasonDialog
          key={action}
          isOpen={open === action}
          onClose={onClose}
          title={`${stateActs[action].verb} ${who}`}
          verb={stateActs[action].verb}
          effect={`Each device ${stateActs[action].effect}`}
          error={acts.changeState.error}
          isBusy={acts.changeState.isPending}
          onConfirm={(reason) => acts.changeState.mutate({ devices, action, reason })}
        />
      ))}
    </>
  )
}

interface AssignDialogProps extends Omit<DialogsProps, 'open'> {
  isOpen: boolean
}

function AssignDialog({ isOpen, acts, devices, who, onClose }: AssignDialogProps) {
  const sites = useSiteOptions(isOpen)
  const orgUnits = useOrgUnitOptions(isOpen)
  const people = usePersonOptions(isOpen)
  return (
    <RecordDialog
      isOpen={isOpen}
      onClose={onClose}
      title={`Set for ${who}`}
      verb="Set"
      fields={[
        {
          name: 'siteId',
          label: 'Site',
          kind: 'choice',
          options: sites.options,
          description: 'Empty leaves it as it is',
        },
        { name: 'orgUnitId', label: 'Org unit', kind: 'choice', options: orgUnits.options },
        { name: 'ownerPersonId', label: 'User', kind: 'choice', options: people.options },
        { name: 'roles', label: 'Roles', description: 'All roles, with commas: pilot, office. Empty leaves them' },
        { name: 'tags', label: 'Tags', description: 'All tags, with commas' },
      ]}
      error={acts.assign.error}
      isBusy={acts.assign.isPending}
      onSubmit={(values) => acts.assign.mutate({ devices, change: changeFrom(values) })}
    />
  )
}

function changeFrom(values: Values): DeviceChange {
  const { siteId = '', orgUnitId = '', ownerPersonId = '', roles = '', tags = '' } = values
  return {
    ...(siteId === '' ? {} : { siteId }),
    ...(orgUnitId === '' ? {} : { orgUnitId }),
    ...(ownerPersonId === '' ? {} : { ownerPersonId }),
    ...(roles.trim() === '' ? {} : { roles: wordsOf(roles) }),
    ...(tags.trim() === '' ? {} : { tags: wordsOf(tags) }),
  }
}

function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '')
}
