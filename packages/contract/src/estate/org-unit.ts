import * as z from 'zod'
import { code, ImportResult, importInput, importRoute } from '../lib/csv.ts'
import { orgUnitId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'

const name = z.string().trim().min(1).max(200)

export const OrgUnitView = z.object({
  id: orgUnitId,
  code: z.string(),
  name: z.string(),
  parentId: orgUnitId.nullable(),
  path: z.array(orgUnitId).describe('From the root down to this unit.'),
  state: z.enum(['active', 'retired']),
  version: z.int(),
  createdAt: instant,
  retiredAt: instant.nullable(),
})
export type OrgUnitView = z.infer<typeof OrgUnitView>

export const OrgUnitInput = z.object({ code, name, parentId: orgUnitId.nullish() })
export type OrgUnitInput = z.infer<typeof OrgUnitInput>

export const OrgUnitChange = z.object({
  orgUnitId,
  version: z.int().optional(),
  code: code.optional(),
  name: name.optional(),
  parentId: orgUnitId.nullish().describe('Moves the unit with everything below it; null makes it a root.'),
})
export type OrgUnitChange = z.infer<typeof OrgUnitChange>

export const OrgUnitFilter = PageInput.extend({
  below: orgUnitId.optional().describe('This org unit and all below it.'),
  search: z.string().trim().max(100).optional(),
  state: z.enum(['active', 'retired']).default('active'),
})
export type OrgUnitFilter = z.infer<typeof OrgUnitFilter>

/** Columns of a file of org units: the parent by its code, which may stand in the same file, in any order. */
export const OrgUnitRow = z.object({ code, name, parent: code.optional() })
export type OrgUnitRow = z.infer<typeof OrgUnitRow>

export const orgUnit = {
  list: procedure
    .meta({ permission: 'org-unit.read' })
    .route({ method: 'GET', path: '/estate/org-units', summary: 'List org units' })
    .input(OrgUnitFilter)
    .output(pageOf(OrgUnitView)),
  get: procedure
    .meta({ permission: 'org-unit.read' })
    .route({ method: 'GET', path: '/estate/org-units/{orgUnitId}', summary: 'Show an org unit' })
    .input(z.object({ orgUnitId }))
    .output(OrgUnitView),
  create: procedure
    .meta({ permission: 'org-unit.write' })
    .route({ method: 'POST', path: '/estate/org-units', summary: 'Add an org unit', successStatus: 201 })
    .input(OrgUnitInput)
    .output(OrgUnitView),
  update: procedure
    .meta({ permission: 'org-unit.write' })
    .route({ method: 'PATCH', path: '/estate/org-units/{orgUnitId}', summary: 'Change or move an org unit' })
    .input(OrgUnitChange)
    .output(OrgUnitView),
  retire: procedure
    .meta({ permission: 'org-unit.write' })
    .route({ method: 'POST', path: '/estate/org-units/{orgUnitId}/retire', summary: 'Retire an empty org unit' })
    .input(z.object({ orgUnitId }))
    .output(OrgUnitView),
  import: procedure
    .meta({ permission: 'org-unit.write', bodyBytes: 16_777_216 })
    .route(importRoute('/estate/org-units/import', 'Add or change org units from a CSV file, all rows or none'))
    .input(importInput)
    .output(ImportResult),
}
