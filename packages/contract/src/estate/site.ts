import * as z from 'zod'
import { code, ImportResult, importInput, importRoute } from '../lib/csv.ts'
import { siteId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant, timeZone } from '../lib/time.ts'

const name = z.string().trim().min(1).max(200)
const country = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z]{2}$/, 'is a two-letter country code')
const region = z.string().trim().min(1).max(100)

export const SiteView = z.object({
  id: siteId,
  code: z.string(),
  name: z.string(),
  timeZone: z.string(),
  country: z.string().nullable(),
  region: z.string().nullable(),
  state: z.enum(['active', 'retired']),
  version: z.int(),
  createdAt: instant,
  retiredAt: instant.nullable(),
})
export type SiteView = z.infer<typeof SiteView>

export const SiteInput = z.object({ code, name, timeZone, country: country.nullish(), region: region.nullish() })
export type SiteInput = z.infer<typeof SiteInput>

export const SiteChange = z.object({
  siteId,
  version: z.int().optional(),
  code: code.optional(),
  name: name.optional(),
  timeZone: timeZone.optional(),
  country: country.nullish(),
  region: region.nullish(),
})
export type SiteChange = z.infer<typeof SiteChange>

export const SiteFilter = PageInput.extend({
  search: z.string().trim().max(100).optional(),
  state: z.enum(['active', 'retired']).default('active'),
})
export type SiteFilter = z.infer<typeof SiteFilter>

export const SiteRow = z.object({
  code,
  name,
  time_zone: timeZone,
  country: country.optional(),
  region: region.optional(),
})
export type SiteRow = z.infer<typeof SiteRow>

export const site = {
  list: procedure
    .meta({ permission: 'site.read' })
    .route({ method: 'GET', path: '/estate/sites', summary: 'List sites' })
    .input(SiteFilter)
    .output(pageOf(SiteView)),
  get: procedure
    .meta({ permission: 'site.read' })
    .route({ method: 'GET', path: '/estate/sites/{siteId}', summary: 'Show a site' })
    .input(z.object({ siteId }))
    .output(SiteView),
  create: procedure
    .meta({ permission: 'site.write' })
    .route({ method: 'POST', path: '/estate/sites', summary: 'Add a site', successStatus: 201 })
    .input(SiteInput)
    .output(SiteView),
  update: procedure
    .meta({ permission: 'site.write' })
    .route({ method: 'PATCH', path: '/estate/sites/{siteId}', summary: 'Change a site' })
    .input(SiteChange)
    .output(SiteView),
  retire: procedure
    .meta({ permission: 'site.write' })
    .route({ method: 'POST', path: '/estate/sites/{siteId}/retire', summary: 'Retire a site where nobody works' })
    .input(z.object({ siteId }))
    .output(SiteView),
  import: procedure
    .meta({ permission: 'site.write', bodyBytes: 16_777_216 })
    .route(importRoute('/estate/sites/import', 'Add or change sites from a CSV file, all rows or none'))
    .input(importInput)
    .output(ImportResult),
}
