import { jobStates } from '@bascule/domain/deliver/job.ts'
import * as z from 'zod'
import { refusalCode } from '../deliver/rollout.ts'
import { AuthorityRefused } from '../device/protocol.ts'
import { deviceOrder, DeviceRow, queryText } from '../estate/device.ts'
import { releaseId } from '../lib/ids.ts'
import { pageOf, PageInput } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'

/** What a device is doing for a release, in the groups that people ask for. */
export const fleetWorks = [
  'verified',
  'installing',
  'downloading',
  'offered',
  'blocked',
  'failed',
  'backed-out',
  'left-out',
  'not-started',
] as const
export type FleetWork = (typeof fleetWorks)[number]

const FleetFilter = z.object({
  query: queryText,
  order: deviceOrder,
  /** Only devices of this release's rollout, with their job for it; without it each with its latest job. */
  release: releaseId.optional(),
  work: z.enum(fleetWorks).optional(),
  /** Only devices whose own verification says no to what they are asked to do. */
  refusal: refusalCode.optional(),
})

/** Devices that refuse by the same check, with what the last of them said. */
export const RefusalGroup = AuthorityRefused.extend({
  devices: z.int(),
  sentence: z.string(),
})
export type RefusalGroup = z.infer<typeof RefusalGroup>

/** A device together with the latest that it was asked to do. */
export const FleetRow = DeviceRow.extend({
  owner: z.string().nullable(),
  model: z.string().nullable(),
  /** What the CMDB says it runs, by name. */
  software: z.array(z.object({ name: z.string(), version: z.string() })),
  work: z
    .object({
      releaseId,
      release: z.string(),
      version: z.string(),
      state: z.enum(jobStates),
      sentence: z.string().nullable(),
      refusal: AuthorityRefused.nullable(),
      since: instant,
    })
    .nullable(),
})
export type FleetRow = z.infer<typeof FleetRow>

export const fleet = {
  list: procedure
    .meta({ permission: 'device.read' })
    .route({ method: 'GET', path: '/fleet', summary: 'Devices with what they are doing now' })
    .input(PageInput.extend(FleetFilter.shape))
    .output(pageOf(FleetRow)),
  anchors: procedure
    .meta({ permission: 'device.read' })
    .route({ method: 'GET', path: '/fleet/anchors', summary: 'Where the pages of that list begin, for jumps' })
    .input(FleetFilter.extend({ every: z.coerce.number().int().min(10).max(500).default(100) }))
    .output(z.object({ total: z.int(), cursors: z.array(z.string()) })),
  refusals: procedure
    .meta({ permission: 'device.read' })
    .route({ method: 'GET', path: '/fleet/refusals', summary: 'Why devices refuse what they are asked to do' })
    .input(z.object({ release: releaseId.optional() }))
    .output(z.object({ items: z.array(RefusalGroup) })),
}
