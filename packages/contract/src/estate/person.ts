import * as z from 'zod'
import { ImportResult, importInput, importRoute } from '../lib/csv.ts'
import { orgUnitId, personId, siteId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant, timeZone } from '../lib/time.ts'

const name = z.string().trim().min(1).max(200)
const email = z.email().max(254).toLowerCase()
const language = z.string().regex(/^[a-z]{2,3}(-[A-Z]{2})?$/, 'is a language tag like en or de-CH')
const jobRole = z.string().trim().toLowerCase().min(1).max(100).describe('What the person does: cashier, sales, nurse.')

export const PersonView = z.object({
  id: personId,
  name: z.string(),
  email: z.string(),
  orgUnitId: orgUnitId.nullable(),
  siteId: siteId.nullable(),
  jobRole: z.string().nullable(),
  language: z.string(),
  timeZone: z.string().nullable().describe("The person's own time zone; without it that of the site counts."),
  state: z.enum(['active', 'retired']),
  version: z.int(),
  createdAt: instant,
  retiredAt: instant.nullable(),
})
export type PersonView = z.infer<typeof PersonView>

/** What can be said about a person. Email is how files and sign-in know one person from another. */
export const PersonInput = z.object({
  name,
  email,
  orgUnitId: orgUnitId.nullish(),
  siteId: siteId.nullish(),
  jobRole: jobRole.nullish(),
  language: language.default('en'),
  timeZone: timeZone.nullish(),
})
export type PersonInput = z.infer<typeof PersonInput>

export const PersonChange = z.object({
  personId,
  version: z.int().optional().describe('The version you saw; refused when somebody changed it meanwhile.'),
  name: name.optional(),
  email: email.optional(),
  orgUnitId: orgUnitId.nullish(),
  siteId: siteId.nullish(),
  jobRole: jobRole.nullish(),
  language: language.optional(),
  timeZone: timeZone.nullish(),
})
export type PersonChange = z.infer<typeof PersonChange>

export const PersonFilter = PageInput.extend({
  search: z.string().trim().max(100).optional().describe('Part of a name or e-mail address.'),
  orgUnitId: orgUnitId.optional().describe('This org unit and all below it.'),
  siteId: siteId.optional(),
  state: z.enum(['active', 'retired']).default('active'),
})
export type PersonFilter = z.infer<typeof PersonFilter>

/** Columns of a file of people: org unit and site by their codes; an empty cell is nothing. */
export const PersonRow = z.object({
  email,
  name,
  org_unit: z.string().optional(),
  site: z.string().optional(),
  job_role: jobRole.optional(),
  language: language.optional(),
  time_zone: timeZone.optional(),
})
export type PersonRow = z.infer<typeof PersonRow>

export const person = {
  list: procedure
    .meta({ permission: 'person.read' })
    .route({ method: 'GET', path: '/estate/people', summary: 'List people' })
    .input(PersonFilter)
    .output(pageOf(PersonView)),
  get: procedure
    .meta({ permission: 'person.read' })
    .route({ method: 'GET', path: '/estate/people/{personId}', summary: 'Show a person' })
    .input(z.object({ personId }))
    .output(PersonView),
  create: procedure
    .meta({ permission: 'person.write' })
    .route({ method: 'POST', path: '/estate/people', summary: 'Add a person', successStatus: 201 })
    .input(PersonInput)
    .output(PersonView),
  update: procedure
    .meta({ permission: 'person.write' })
    .route({ method: 'PATCH', path: '/estate/people/{personId}', summary: 'Change a person' })
    .input(PersonChange)
    .output(PersonView),
  retire: procedure
    .meta({ permission: 'person.write' })
    .route({
      method: 'POST',
      path: '/estate/people/{personId}/retire',
      summary: 'Retire a person and end all sessions',
    })
    .input(z.object({ personId }))
    .output(PersonView),
  import: procedure
    .meta({ permission: 'person.write', bodyBytes: 16_777_216 })
    .route(importRoute('/estate/people/import', 'Add or change people from a CSV file, all rows or none'))
    .input(importInput)
    .output(ImportResult),
}
