import type { Route } from '@orpc/contract'
import * as z from 'zod'

/** What an import did. Without an answer like this, nothing of the file was stored. */
export const ImportResult = z.object({ created: z.int(), updated: z.int(), unchanged: z.int() })
export type ImportResult = z.infer<typeof ImportResult>

/** The file itself: the body as `text/csv`, or the same text as a JSON string. The first line names the columns. */
export const importInput = z.string().min(1, 'is empty')

export function importRoute<const Path extends `/${string}`>(path: Path, summary: string): Route & { path: Path } {
  return {
    method: 'POST',
    path,
    summary,
    spec: (operation) => ({
      ...operation,
      requestBody: { required: true, content: { 'text/csv': { schema: { type: 'string' } } } },
    }),
  }
}

/** A short word by which files and queries name a thing: `leeds`, `inside-sales`. */
export const code = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9]+(?:[-._][a-z0-9]+)*$/, 'is a word of letters and digits, joined by - . or _')
  .max(60)
