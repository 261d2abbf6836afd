import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PackageSpec } from '@bascule/contract/estate/package-spec.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { isNode, LineCounter, parseDocument } from 'yaml'
import type { PackageProblem } from './package-problem.ts'

export const specFile = 'bascule.yaml'
const specLimitBytes = 1_000_000

/** Reads and checks `bascule.yaml`. Every problem carries its line and column. */
export async function readSpec(folder: string): Promise<Result<PackageSpec, PackageProblem[]>> {
  let text: string
  try {
    text = await readFile(join(folder, specFile), 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT' && (cause as NodeJS.ErrnoException).code !== 'ENOTDIR') {
      throw new Error(`Reading ${specFile}: ${String(cause)}`, { cause })
    }
    return refuse([{ rule: 'missing-file', field: join(folder, specFile), problem: 'is missing' }])
  }
  return parseSpec(text)
}

/** The same for the text alone. */
export function parseSpec(text: string): Result<PackageSpec, PackageProblem[]> {
  if (text.length > specLimitBytes) {
    return refuse([{ rule: 'over-size', field: specFile, problem: `is larger than ${specLimitBytes} bytes` }])
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${specFile}:${line}:${col}`
  }
  if (document.errors.length > 0) {
    return refuse(
      document.errors.map(({ pos, message }) => ({ rule: 'broken-yaml', field: place(pos[0]), problem: message })),
    )
  }
  // `maxAliasCount` bounds a document whose aliases would unfold to gigabytes.
  const spec = PackageSpec.safeParse(unfold(() => document.toJS({ maxAliasCount: 100 }) as unknown))
  if (spec.success) return ok(spec.data)
  return refuse(
    spec.error.issues.map((issue) => {
      const path = issue.path.map(String)
      return {
        rule: 'invalid-field',
        field: [place(offsetOf(path)), path.join('.')].filter((part) => part !== '').join(' '),
        problem: issue.message,
      }
    }),
  )

  /** The place of the field, or of the nearest one around it that is there. */
  function offsetOf(path: readonly string[]): number {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const node = document.getIn(path.slice(0, depth), true)
      if (isNode(node) && node.range) return node.range[0]
    }
    return 0
  }
}

function unfold(toJs: () => unknown): unknown {
  try {
    return toJs()
  } catch {
    // Too many aliases: not a package, and the schema says so for `undefined`.
    return undefined
  }
}
