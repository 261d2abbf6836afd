import * as z from 'zod'
import { ImportResult, importInput, importRoute } from '../lib/csv.ts'
import { absenceId, orgUnitId, personId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { day, instant } from '../lib/time.ts'

const note = z.string().trim().max(500)
const daysInOrder = { message: 'is before the first day', path: ['untilOn'] }

export const AbsenceView = z.object({
  id: absenceId,
  personId,
  personName: z.string(),
  fromOn: day,
  untilOn: day.describe('The last day away.'),
  deputyId: personId.nullable(),
  deputyName: z.string().nullable(),
  note: z.string().nullable(),
  state: z.enum(['active', 'retired']),
  version: z.int(),
  createdAt: instant,
  retiredAt: instant.nullable(),
})
export type AbsenceView = z.infer<typeof AbsenceView>

export const AbsenceInput = z
  .object({ personId, fromOn: day, untilOn: day, deputyId: personId.nullish(), note: note.nullish() })
  .refine((absence) => absence.fromOn <= absence.untilOn, daysInOrder)
export type AbsenceInput = z.infer<typeof AbsenceInput>

export const AbsenceChange = z.object({
  absenceId,
  version: z.int().optional(),
  fromOn: day.optional(),
  untilOn: day.optional(),
  deputyId: personId.nullish(),
  note: note.nullish(),
})
export type AbsenceChange = z.infer<typeof AbsenceChange>

export const AbsenceFilter = PageInput.extend({
  personId: personId.optional(),
  orgUnitId: orgUnitId.optional().describe('People of this org unit and all below it.'),
  from: day.optional().describe('Only absences that reach this day or later.'),
  until: day.optional().describe('Only absences that begin on this day or earlier.'),
})
export type AbsenceFilter = z.infer<typeof AbsenceFilter>

export const AbsenceRow = z
  .object({
    email: z.email().toLowerCase(),
    from: day,
    until: day,
    deputy: z.email().toLowerCase().optional(),
    note: note.optional(),
  })
  .refine((row) => row.from <= row.until, { message: 'is before the first day', path: ['until'] })
export type AbsenceRow = z.infer<typeof AbsenceRow>

export const absence = {
  list: procedure
    .meta({ permission: 'absence.read' })
    .route({ method: 'GET', path: '/estate/absences', summary: 'List who is away' })
    .input(AbsenceFilter)
    .output(pageOf(AbsenceView)),
  get: procedure
    .meta({ permission: 'absence.read' })
    .route({ method: 'GET', path: '/estate/absences/{absenceId}', summary: 'Show an absence' })
    .input(z.object({ absenceId }))
    .output(AbsenceView),
  create: procedure
    .meta({ permission: 'absence.write' })
    .route({ method: 'POST', path: '/estate/absences', summary: 'Record an absence', successStatus: 201 })
    .input(AbsenceInput)
    .output(AbsenceView),
  update: procedure
    .meta({ permission: 'absence.write' })
    .route({ method: 'PATCH', path: '/estate/absences/{absenceId}', summary: 'Change an absence' })
    .input(AbsenceChange)
    .output(AbsenceView),
  retire: procedure
    .meta({ permission: 'absence.write' })
    .route({ method: 'POST', path: '/estate/absences/{absenceId}/retire', summary: 'Call off an absence' })
    .input(z.object({ absenceId }))
    .output(AbsenceView),
  import: procedure
    .meta({ permission: 'absence.write', bodyBytes: 16_777_216 })
    .route(importRoute('/estate/absences/import', 'Record absences from a CSV file, all rows or none'))
    .input(importInput)
    .output(ImportResult),
}
