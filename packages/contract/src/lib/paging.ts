import * as z from 'zod'

/** What a caller asks of a long list: at most `limit` rows after the row that `after` stands for. */
export const PageInput = z.object({
  after: z.string().max(500).optional().describe('The `next` of the page before; empty for the first page.'),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})
export type PageInput = z.infer<typeof PageInput>

/** A page of a keyset-paged list. Without `next` it is the last one. `total` only where counting is cheap. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().optional(), total: z.int().optional() })
}

export interface Page<Item> {
  items: Item[]
  next?: string | undefined
  total?: number | undefined
}
