import { queryOptions } from '@tanstack/react-query'
import { orpc } from '#/api/client.ts'
import { readJson } from '#/api/read-json.ts'
import type { BlockSource } from '#/ui/table/use-blocks.ts'

// The one place where devices come from. Pages know only the shapes below.

export interface DeviceRow {
  id: string
  name: string
  state: string
  os: string
  site: string | null
  orgUnit: string | null
  roles: readonly string[]
  agentVersion: string
  freeDiskBytes: number | null
  lastSeenAt: string | null
}

export interface InstalledPackage {
  name: string
  version: string
  release: string | null
  releaseId: string | null
  since: string
}

export interface DeviceDetails extends DeviceRow {
  enrolledAt: string
  publicKey: string
  generation: number
  packages: readonly InstalledPackage[]
  facts: Readonly<Record<string, string | number | boolean>>
}

/** The key of its route, which a change of a device makes old. */
export const deviceKey = orpc.estate.device.key()

const devicesPath = '/api/devices'
const blockRows = 100

/** The fleet under a filter and in an order, cut into blocks that can be reached directly. */
export function fleetSource(query: string, order: string): BlockSource<DeviceRow> {
  return {
    queryKey: [...deviceKey, 'fleet', query, order],
    loadAnchors: async (signal) => {
      const { total, cursors } = await readJson<{ total: number; cursors: string[] }>(
        `${devicesPath}/anchors?${params({ query, order, every: blockRows })}`,
        { signal },
      )
      return { total, cursors, blockSize: blockRows }
    },
    loadBlock: async (after, limit, signal) => {
      const page = await readJson<{ items: DeviceRow[] }>(
        `${devicesPath}?${params({ query, order, limit, ...(after === undefined ? {} : { after }) })}`,
        { signal },
      )
      return page.items
    },
  }
}

export function deviceQuery(deviceId: string) {
  return queryOptions({
    queryKey: [...deviceKey, 'one', deviceId],
    queryFn: ({ signal }) => readJson<DeviceDetails>(`${devicesPath}/${deviceId}`, { signal }),
  })
}

function params(values: Readonly<Record<string, string | number>>): string {
  return new URLSearchParams(Object.entries(values).map(([key, value]) => [key, String(value)])).toString()
}
