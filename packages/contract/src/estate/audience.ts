import * as z from 'zod'
import { audienceId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'

const name = z.string().trim().min(1).max(200)
const query = z.string().max(2000)

export const AudienceView = z.object({
  id: audienceId,
  name: z.string(),
  query: z.string(),
  madeBy: z.string(),
  state: z.enum(['active', 'retired']),
  version: z.int(),
  createdAt: instant,
  retiredAt: instant.nullable(),
})
export type AudienceView = z.infer<typeof AudienceView>

export const AudienceInput = z.object({ name, query })
export type AudienceInput = z.infer<typeof AudienceInput>

export const AudienceChange = z.object({
  audienceId,
  version: z.int().optional(),
  name: name.optional(),
  query: query.optional(),
})
export type AudienceChange = z.infer<typeof AudienceChange>

export const audience = {
  list: procedure
    .meta({ permission: 'audience.read' })
    .route({ method: 'GET', path: '/estate/audiences', summary: 'List saved queries' })
    .input(PageInput)
    .output(pageOf(AudienceView)),
  create: procedure
    .meta({ permission: 'audience.write' })
    .route({ method: 'POST', path: '/estate/audiences', summary: 'Save a query under a name', successStatus: 201 })
    .input(AudienceInput)
    .output(AudienceView),
  update: procedure
    .meta({ permission: 'audience.write' })
    .route({ method: 'PATCH', path: '/estate/audiences/{audienceId}', summary: 'Change a saved query' })
    .input(AudienceChange)
    .output(AudienceView),
  retire: procedure
    .meta({ permission: 'audience.write' })
    .route({ method: 'POST', path: '/estate/audiences/{audienceId}/retire', summary: 'Retire a saved query' })
    .input(z.object({ audienceId }))
    .output(AudienceView),
  check: procedure
    .meta({ permission: 'audience.read' })
    .route({
      method: 'GET',
      path: '/estate/audiences/check',
      summary: 'What a query means and how many active devices it takes',
    })
    .input(z.object({ query }))
    .output(
      z.object({
        problem: z.object({ at: z.int(), message: z.string() }).nullable(),
        formatted: z.string(),
        devices: z.int(),
      }),
    ),
}
