import * as z from 'zod'
import { baselineId, configurationItemId, deviceId, releaseId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'

const attributes = z.record(z.string(), z.unknown())
const ciClass = z.enum(['service', 'software', 'device'])

export const ItemRow = z.object({
  id: configurationItemId,
  class: ciClass,
  key: z.string(),
  name: z.string(),
  state: z.enum(['in-use', 'retired']),
  since: instant,
})
export type ItemRow = z.infer<typeof ItemRow>

export const ItemView = ItemRow.extend({
  attributes,
  /** What this item needs or runs, and what needs or runs it; the first hundred of each, and how many there are. */
  outgoing: z.array(z.object({ kind: z.string(), item: ItemRow, attributes, since: instant })),
  incoming: z.array(z.object({ kind: z.string(), item: ItemRow, since: instant })),
  incomingTotal: z.int(),
})
export type ItemView = z.infer<typeof ItemView>

export const ChangeRow = z.object({
  id: z.int(),
  at: instant,
  item: z.object({ id: configurationItemId, class: ciClass, key: z.string(), name: z.string() }),
  change: z.enum(['installed', 'updated', 'confirmed', 'removed', 'added', 'changed', 'retired']),
  package: z.string().nullable(),
  before: attributes.nullable(),
  after: attributes.nullable(),
  releaseId: z.string().nullable(),
  source: z.string(),
})
export type ChangeRow = z.infer<typeof ChangeRow>

export const BaselineView = z.object({
  id: baselineId,
  label: z.string(),
  at: instant,
  scope: z.string(),
  releaseId: z.string().nullable(),
  devices: z.int(),
  entries: z.int(),
  sha256: z.string(),
  madeBy: z.string(),
})
export type BaselineView = z.infer<typeof BaselineView>

export const BaselineDifference = z.object({
  deviceId,
  /** How the device is called now; its id where it is not known any more. */
  device: z.string(),
  package: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
})
export type BaselineDifference = z.infer<typeof BaselineDifference>

export const DriftRow = z.object({
  deviceId,
  device: z.string(),
  package: z.string(),
  kind: z.enum(['other-version', 'missing', 'unmanaged']),
  expected: z.string().nullable(),
  found: z.string().nullable(),
  since: instant,
})
export type DriftRow = z.infer<typeof DriftRow>

export const configuration = {
  listItems: procedure
    .meta({ permission: 'configuration.read' })
    .route({ method: 'GET', path: '/estate/configuration/items', summary: 'List configuration items' })
    .input(PageInput.extend({ class: ciClass.optional(), search: z.string().trim().max(100).optional() }))
    .output(pageOf(ItemRow)),
  getItem: procedure
    .meta({ permission: 'configuration.read' })
    .route({ method: 'GET', path: '/estate/configuration/items/{itemId}', summary: 'One item with its relations' })
    .input(z.object({ itemId: configurationItemId }))
    .output(ItemView),
  history: procedure
    .meta({ permission: 'configuration.read' })
    .route({ method: 'GET', path: '/estate/configuration/changes', summary: 'Every update of the CMDB, newest first' })
    .input(
      PageInput.extend({
        itemId: configurationItemId.optional(),
        deviceId: deviceId.optional(),
        release: releaseId.optional(),
      }),
    )
    .output(pageOf(ChangeRow)),
  baselines: procedure
    .meta({ permission: 'configuration.read' })
    .route({ method: 'GET', path: '/estate/configuration/baselines', summary: 'List baselines, newest first' })
    .input(PageInput.extend({ release: releaseId.optional() }))
    .output(pageOf(BaselineView)),
  takeBaseline: procedure
    .meta({ permission: 'configuration.write' })
    .route({
      method: 'POST',
      path: '/estate/configuration/baselines',
      summary: 'Keep what devices run now',
      successStatus: 201,
    })
    .input(z.object({ label: z.string().trim().min(1).max(200), query: z.string().max(2000).default('') }))
    .output(BaselineView),
  diffBaseline: procedure
    .meta({ permission: 'configuration.read' })
    .route({
      method: 'GET',
      path: '/estate/configuration/baselines/{baselineId}/differences',
      summary: 'What differs between two baselines',
    })
    .input(
      z.object({ baselineId, against: baselineId.optional().describe('A later baseline; without it, what runs now.') }),
    )
    .output(z.object({ total: z.int(), items: z.array(BaselineDifference).max(1000) })),
  drift: procedure
    .meta({ permission: 'configuration.read' })
    .route({
      method: 'GET',
      path: '/estate/configuration/drift',
      summary: 'Where devices report other than the CMDB says',
    })
    .input(PageInput)
    .output(pageOf(DriftRow)),
}
