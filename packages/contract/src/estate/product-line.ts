import * as z from 'zod'
import { productLineId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'

const code = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'is a word of letters and digits, joined by -')
  .max(60)
const name = z.string().trim().min(1).max(200)
const boardName = z.string().trim().min(1).max(200)

export const ProductLineView = z.object({
  id: productLineId,
  code: z.string(),
  name: z.string(),
  /** Who decides about its releases; null while no board does. */
  boardName: z.string().nullable(),
  /** The number of its latest release; 0 before the first. */
  counter: z.int(),
  state: z.enum(['active', 'retired']),
  version: z.int(),
  createdAt: instant,
  retiredAt: instant.nullable(),
})
export type ProductLineView = z.infer<typeof ProductLineView>

export const ProductLineInput = z.object({ code, name, boardName: boardName.nullish() })
export type ProductLineInput = z.infer<typeof ProductLineInput>

/** The code is missing on purpose: devices know a line by its code, so it stays for ever. */
export const ProductLineChange = z.object({
  productLineId,
  version: z.int().optional(),
  name: name.optional(),
  boardName: boardName.nullish(),
})
export type ProductLineChange = z.infer<typeof ProductLineChange>

export const ProductLineFilter = PageInput.extend({
  search: z.string().trim().max(100).optional(),
  state: z.enum(['active', 'retired']).default('active'),
})
export type ProductLineFilter = z.infer<typeof ProductLineFilter>

export const productLine = {
  list: procedure
    .meta({ permission: 'product-line.read' })
    .route({ method: 'GET', path: '/estate/product-lines', summary: 'List product lines' })
    .input(ProductLineFilter)
    .output(pageOf(ProductLineView)),
  get: procedure
    .meta({ permission: 'product-line.read' })
    .route({ method: 'GET', path: '/estate/product-lines/{productLineId}', summary: 'Show a product line' })
    .input(z.object({ productLineId }))
    .output(ProductLineView),
  create: procedure
    .meta({ permission: 'product-line.write' })
    .route({ method: 'POST', path: '/estate/product-lines', summary: 'Add a product line', successStatus: 201 })
    .input(ProductLineInput)
    .output(ProductLineView),
  update: procedure
    .meta({ permission: 'product-line.write' })
    .route({ method: 'PATCH', path: '/estate/product-lines/{productLineId}', summary: 'Change a product line' })
    .input(ProductLineChange)
    .output(ProductLineView),
  retire: procedure
    .meta({ permission: 'product-line.write' })
    .route({
      method: 'POST',
      path: '/estate/product-lines/{productLineId}/retire',
      summary: 'Retire a product line: no new release is planned for it',
    })
    .input(z.object({ productLineId }))
    .output(ProductLineView),
}
