import type { FleetWork } from '@bascule/contract/views/fleet.ts'
import { client, orpc, type Client } from '#/api/client.ts'
import type { BlockSource } from '#/ui/table/use-blocks.ts'

export type DeviceRow = Awaited<ReturnType<Client['views']['fleet']['list']>>['items'][number]
export type DeviceDetails = Awaited<ReturnType<Client['estate']['device']['get']>>
export type InstalledPackage = DeviceDetails['packages'][number]
export type { FleetWork }

/** What the fleet is narrowed to; every part of it stands in the address. */
export interface FleetFilter {
  query: string
  order: string
  release: string
  work: FleetWork | ''
  /** Code of a refusal, or `any`: only devices whose own verification says no. */
  refusal: string
}

const blockRows = 100

/** The fleet under a filter and in an order, cut into blocks that can be reached directly. */
export function fleetSource({ query, order, release, work, refusal }: FleetFilter): BlockSource<DeviceRow> {
  const filter = {
    query,
    order,
    ...(release === '' ? {} : { release }),
    ...(work === '' ? {} : { work }),
    ...(refusal === '' ? {} : { refusal }),
  }
  return {
    queryKey: [...orpc.views.fleet.key(), query, order, release, work, refusal],
    loadAnchors: async (signal) => {
      const { total, cursors } = await client.views.fleet.anchors({ ...filter, every: blockRows }, { signal })
      return { total, cursors, blockSize: blockRows }
    },
    loadBlock: async (after, limit, signal) => {
      const page = await client.views.fleet.list(
        { ...filter, limit, ...(after === undefined ? {} : { after }) },
        { signal },
      )
      return page.items
    },
  }
}
