import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { client, orpc, type Client } from '#/api/client.ts'
import { countOf } from '#/ui/format.ts'

export type DeviceSelection = Parameters<Client['estate']['device']['approve']>[0]['devices']
export type DeviceChange = Parameters<Client['estate']['device']['assign']>[0]['change']
export type DeviceStateAct = Parameters<Client['estate']['device']['changeState']>[0]['action']

interface Bulk {
  changed: number
  unchanged: number
}

/** What can be done to devices, one or all that match; every answer says how many it changed. */
export function useDeviceActs(onDone: () => void) {
  const queries = useQueryClient()
  async function told({ changed, unchanged }: Bulk, done: string) {
    const rest = unchanged === 0 ? '' : ` ${countOf(unchanged, 'device')} stayed as they were.`
    notifications.show({ message: `${countOf(changed, 'device')} ${done}.${rest}` })
    onDone()
    await Promise.all([
      queries.invalidateQueries({ queryKey: orpc.estate.device.key() }),
      queries.invalidateQueries({ queryKey: orpc.views.fleet.key() }),
    ])
  }
  const { device } = client.estate
  return {
    approve: useMutation({
      mutationFn: (devices: DeviceSelection) => device.approve({ devices }),
      onSuccess: (bulk) => told(bulk, 'approved'),
    }),
    assign: useMutation({
      mutationFn: (input: { devices: DeviceSelection; change: DeviceChange }) => device.assign(input),
      onSuccess: (bulk) => told(bulk, 'changed'),
    }),
    changeState: useMutation({
      mutationFn: (input: { devices: DeviceSelection; action: DeviceStateAct; reason: string }) =>
        device.changeState(input),
      onSuccess: (bulk) => told(bulk, 'changed'),
    }),
  }
}

export type DeviceActsState = ReturnType<typeof useDeviceActs>
