import type { Page } from '@bascule/contract/lib/paging.ts'

/** Where a page ended: the sort key of its last row and its id. Opaque to callers, readable to whoever debugs. */
export interface Cursor {
  readonly key: string
  readonly id: string
}

export function encodeCursor({ key, id }: Cursor): string {
  return Buffer.from(JSON.stringify([key, id])).toString('base64url')
}

/** Undefined for what is not a cursor of ours: such a list begins at its start. */
export function decodeCursor(after: string | undefined): Cursor | undefined {
  if (after === undefined || after === '') return undefined
  try {
    const parts: unknown = JSON.parse(Buffer.from(after, 'base64url').toString('utf8'))
    if (!Array.isArray(parts) || typeof parts[0] !== 'string' || typeof parts[1] !== 'string') return undefined
    return { key: parts[0], id: parts[1] }
  } catch {
    // A cursor that somebody typed or cut off is no more than a wish to begin at the start.
    return undefined
  }
}

/** A page out of the rows of a query that asked for one row more than `limit`. */
export function pageFrom<Row, Item>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => Cursor,
  itemOf: (row: Row) => Item,
): Page<Item> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  if (rows.length <= limit || last === undefined) return { items: items.map(itemOf) }
  return { items: items.map(itemOf), next: encodeCursor(cursorOf(last)) }
}
