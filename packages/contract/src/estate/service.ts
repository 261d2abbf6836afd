import * as z from 'zod'
import { code } from '../lib/csv.ts'
import { orgUnitId, personId, serviceId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant, timeZone } from '../lib/time.ts'

const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'is a time such as 08:30')

/** When a service is promised: on these days of the week (1 is Monday), between these local times. */
export const ServiceHours = z
  .array(z.object({ days: z.array(z.int().min(1).max(7)).min(1).max(7), from: clockTime, until: clockTime }))
  .max(20)
  .refine((hours) => hours.every(({ from, until }) => from < until), 'begins after it ends')

const fields = {
  name: z.string().trim().min(1).max(200),
  purpose: z.string().trim().max(2000),
  criticality: z.enum(['low', 'medium', 'high', 'critical']),
  ownerPersonId: personId.nullable(),
  orgUnitId: orgUnitId.nullable(),
  timeZone,
  hours: ServiceHours,
  dependsOn: z.array(code).max(100).describe('Codes of services that this one needs.'),
  uses: z.array(z.string().max(100)).max(100).describe('Names of packages that this service consists of.'),
}

export const ServiceInput = z.object({
  code,
  ...fields,
  purpose: fields.purpose.default(''),
  ownerPersonId: fields.ownerPersonId.default(null),
  orgUnitId: fields.orgUnitId.default(null),
  hours: fields.hours.default([]),
  dependsOn: fields.dependsOn.default([]),
  uses: fields.uses.default([]),
})
export type ServiceInput = z.infer<typeof ServiceInput>

export const ServiceView = z.object({
  ...fields,
  id: serviceId,
  code: z.string(),
  dependsOn: z.array(z.string()),
  uses: z.array(z.string()),
  neededBy: z.array(z.string()),
  state: z.enum(['active', 'retired']),
  version: z.int(),
  createdAt: instant,
  retiredAt: instant.nullable(),
})
export type ServiceView = z.infer<typeof ServiceView>

export const ServiceChange = z
  .object({ serviceId, version: z.int().optional(), ...fields })
  .partial()
  .required({ serviceId: true })
export type ServiceChange = z.infer<typeof ServiceChange>

export const service = {
  list: procedure
    .meta({ permission: 'service.read' })
    .route({ method: 'GET', path: '/estate/services', summary: 'List services' })
    .input(PageInput.extend({ search: z.string().trim().max(100).optional() }))
    .output(pageOf(ServiceView)),
  get: procedure
    .meta({ permission: 'service.read' })
    .route({ method: 'GET', path: '/estate/services/{serviceId}', summary: 'Show a service' })
    .input(z.object({ serviceId }))
    .output(ServiceView),
  create: procedure
    .meta({ permission: 'service.write' })
    .route({ method: 'POST', path: '/estate/services', summary: 'Add a service', successStatus: 201 })
    .input(ServiceInput)
    .output(ServiceView),
  update: procedure
    .meta({ permission: 'service.write' })
    .route({ method: 'PATCH', path: '/estate/services/{serviceId}', summary: 'Change a service' })
    .input(ServiceChange)
    .output(ServiceView),
  retire: procedure
    .meta({ permission: 'service.write' })
    .route({
      method: 'POST',
      path: '/estate/services/{serviceId}/retire',
      summary: 'Retire a service that nothing needs',
    })
    .input(z.object({ serviceId }))
    .output(ServiceView),
}
