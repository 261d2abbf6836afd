import * as z from 'zod'
import { releaseId, savedViewId } from '../lib/ids.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'
import { deviceOrder, queryText } from './device.ts'

const word = z
  .string()
  .regex(/^[a-z][a-z-]{0,39}$/, 'is a word of small letters')
  .describe('A word of the page’s own; the list of the fleet says which there are.')

/** What the page of the fleet shows, as its address says it. */
const ViewFields = {
  name: z.string().trim().min(1).max(60),
  query: queryText,
  order: deviceOrder,
  /** A group of work, `failed` for example. */
  work: word.nullable().default(null),
  releaseId: releaseId.nullable().default(null),
  /** In the order of the page; none means the columns that it shows by itself. */
  columns: z.array(word).max(30).default([]),
}

export const SavedViewInput = z.object(ViewFields)
export type SavedViewInput = z.infer<typeof SavedViewInput>

export const SavedViewView = z.object({
  ...ViewFields,
  id: savedViewId,
  version: z.int(),
  createdAt: instant,
})
export type SavedViewView = z.infer<typeof SavedViewView>

/** With a name alone it is renamed; what is left out stays. */
export const SavedViewChange = z.object({
  savedViewId,
  version: z.int().optional(),
  name: ViewFields.name.optional(),
  shows: z.object(ViewFields).omit({ name: true }).optional(),
})
export type SavedViewChange = z.infer<typeof SavedViewChange>

const one = z.object({ savedViewId })

/** Views of the fleet that a person keeps. They are that person's alone, so who sees devices may keep some. */
export const savedView = {
  list: procedure
    .meta({ permission: 'device.read' })
    .route({ method: 'GET', path: '/fleet/views', summary: 'Your own saved views of the fleet, oldest first' })
    .output(z.array(SavedViewView)),
  create: procedure
    .meta({ permission: 'device.read' })
    .route({ method: 'POST', path: '/fleet/views', summary: 'Save a view of the fleet', successStatus: 201 })
    .input(SavedViewInput)
    .output(SavedViewView),
  update: procedure
    .meta({ permission: 'device.read' })
    .route({
      method: 'PATCH',
      path: '/fleet/views/{savedViewId}',
      summary: 'Rename a saved view, or change what it shows',
    })
    .input(SavedViewChange)
    .output(SavedViewView),
  remove: procedure
    .meta({ permission: 'device.read' })
    .route({ method: 'DELETE', path: '/fleet/views/{savedViewId}', summary: 'Delete one of your saved views' })
    .input(one)
    .output(SavedViewView),
}
