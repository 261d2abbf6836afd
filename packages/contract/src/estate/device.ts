import { deviceActions, deviceStates } from '@bascule/domain/estate/device/device-state.ts'
import * as z from 'zod'
import { deviceId, orgUnitId, personId, siteId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'

/** See docs/formats/query-language.md. */
export const queryText = z.string().max(2000).default('')

const orders = ['name', 'state', 'site', 'org', 'os', 'version', 'free', 'seen'] as const
export type DeviceOrder = (typeof orders)[number]

/** `name` rises, `-name` falls; devices that are equal come in the order of the fleet. */
export const deviceOrder = z
  .string()
  .regex(
    new RegExp(`^(?:-?(?:${orders.join('|')}))?$`),
    `is one of ${orders.join(', ')}, with - before it to turn it around`,
  )
  .default('')

/** A word that queries ask for: `sales`, `till-3`. */
export const deviceWord = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9]+(?:[-._][a-z0-9]+)*$/, 'is a word of letters and digits, joined by - . or _')
  .max(60)
const words = z.array(deviceWord).max(50)

const PlaceRef = z.object({ code: z.string(), name: z.string() })

export const DeviceRow = z.object({
  id: deviceId,
  name: z.string(),
  /** `silent` is an active device that has broken its habit. */
  state: z.enum([...deviceStates, 'silent']),
  site: z.string().nullable(),
  orgUnit: z.string().nullable(),
  roles: z.array(z.string()),
  tags: z.array(z.string()),
  os: z.string(),
  agentVersion: z.string(),
  freeDiskBytes: z.number().nullable(),
  lastSeenAt: instant.nullable(),
})
export type DeviceRow = z.infer<typeof DeviceRow>

export const InstalledPackage = z.object({
  name: z.string(),
  version: z.string(),
  digest: z.string(),
  modules: z.array(z.string()),
  release: z.string().nullable(),
  releaseId: z.string().nullable(),
  since: instant,
})

/** Who let a release onto a device, as its newest proven receipt says. */
export const ProvenAuthority = z.object({
  role: z.string(),
  version: z.int(),
  threshold: z.int(),
  /** The keys that the device counted; a name where the key belongs to somebody here. */
  signers: z.array(z.object({ keyId: z.string(), name: z.string().nullable() })),
  at: instant,
})
export type ProvenAuthority = z.infer<typeof ProvenAuthority>

/** How a device came to its first root: by a fingerprint that a person gave it, by what its server showed, or not yet. */
export const trustAnchors = ['fingerprint', 'first-use', 'none'] as const

export const DeviceView = DeviceRow.extend({
  index: z.int(),
  publicKey: z.string(),
  stateSince: instant,
  siteRef: PlaceRef.nullable(),
  orgUnitRef: PlaceRef.nullable(),
  owner: z.object({ id: personId, name: z.string() }).nullable(),
  enrolledAt: instant,
  factsAt: instant.nullable(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  packages: z.array(InstalledPackage.extend({ authorisedBy: ProvenAuthority.nullish() })),
  trustAnchor: z.enum(trustAnchors),
  drift: z.array(
    z.object({
      package: z.string(),
      kind: z.string(),
      expected: z.string().nullable(),
      found: z.string().nullable(),
      since: instant,
    }),
  ),
  generation: z.int(),
  version: z.int(),
})
export type DeviceView = z.infer<typeof DeviceView>

/** Devices by name, or all that match a query now, without those that somebody took out. */
export const DeviceSelection = z.union([
  z.object({ deviceIds: z.array(deviceId).min(1).max(1000) }),
  z.object({ query: z.string().max(2000), except: z.array(deviceId).max(1000).default([]) }),
])
export type DeviceSelection = z.infer<typeof DeviceSelection>

export const DeviceChange = z.object({
  siteId: siteId.nullish(),
  orgUnitId: orgUnitId.nullish(),
  ownerPersonId: personId.nullish(),
  roles: words.optional().describe('All roles of the devices; others are taken away.'),
  tags: words.optional().describe('All tags of the devices; others are taken away.'),
})
export type DeviceChange = z.infer<typeof DeviceChange>

/** How many devices were changed and how many were left alone because nothing was to change or their state forbids it. */
export const BulkResult = z.object({ changed: z.int(), unchanged: z.int() })
export type BulkResult = z.infer<typeof BulkResult>

const one = z.object({ deviceId })

export const device = {
  list: procedure
    .meta({ permission: 'device.read' })
    .route({ method: 'GET', path: '/devices', summary: 'List devices that match a query' })
    .input(PageInput.extend({ query: queryText, order: deviceOrder }))
    .output(pageOf(DeviceRow)),
  anchors: procedure
    .meta({ permission: 'device.read' })
    .route({ method: 'GET', path: '/devices/anchors', summary: 'Where the pages of a long list begin, for jumps' })
    .input(
      z.object({ query: queryText, order: deviceOrder, every: z.coerce.number().int().min(10).max(500).default(100) }),
    )
    .output(
      z.object({ total: z.int(), cursors: z.array(z.string()).describe('`cursors[k]` is `after` for block k + 1.') }),
    ),
  count: procedure
    .meta({ permission: 'device.read' })
    .route({
      method: 'GET',
      path: '/devices/count',
      summary: 'How many devices match a query, and how many of them are silent',
    })
    .input(z.object({ query: queryText }))
    .output(z.object({ total: z.int(), active: z.int(), silent: z.int() })),
  get: procedure
    .meta({ permission: 'device.read' })
    .route({ method: 'GET', path: '/devices/{deviceId}', summary: 'Everything about one device' })
    .input(one)
    .output(DeviceView),
  rename: procedure
    .meta({ permission: 'device.write' })
    .route({ method: 'POST', path: '/devices/{deviceId}/rename', summary: 'Give a device another name' })
    .input(
      one.extend({
        name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'is letters, digits, . _ and -'),
        version: z.int().optional(),
      }),
    )
    .output(DeviceView),
  assign: procedure
    .meta({ permission: 'device.write' })
    .route({
      method: 'POST',
      path: '/devices/assign',
      summary: 'Give devices their site, org unit, owner, roles or tags',
    })
    .input(z.object({ devices: DeviceSelection, change: DeviceChange }))
    .output(BulkResult),
  approve: procedure
    .meta({ permission: 'device.approve' })
    .route({ method: 'POST', path: '/devices/approve', summary: 'Approve devices that wait for it' })
    .input(z.object({ devices: DeviceSelection }))
    .output(BulkResult),
  changeState: procedure
    .meta({ permission: 'device.revoke' })
    .route({
      method: 'POST',
      path: '/devices/change-state',
      summary: 'Suspend, resume, revoke or decommission devices',
    })
    .input(
      z.object({
        devices: DeviceSelection,
        action: z.enum(deviceActions).exclude(['approve']),
        reason: z.string().trim().min(1).max(1000),
      }),
    )
    .output(BulkResult),
}
