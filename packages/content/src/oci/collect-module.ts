import { lstat, readdir, readlink, realpath } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { limits } from '@bascule/contract/estate/oci.ts'
import { problemOfTreePath, resolveLink } from '@bascule/domain/estate/package/tree-path.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import type { PackageProblem } from './package-problem.ts'

export interface SourceFile {
  readonly path: string
  /** Where the bytes lie on this machine. */
  readonly source: string
  readonly mode: 0o644 | 0o755
  readonly sizeBytes: number
}

export interface SourceLink {
  readonly path: string
  readonly target: string
}

export interface SourceModule {
  readonly name: string
  readonly files: readonly SourceFile[]
  readonly links: readonly SourceLink[]
}

interface Found {
  files: SourceFile[]
  links: SourceLink[]
  problems: PackageProblem[]
}

/**
 * Everything a module brings, sorted by path. A folder gives its content, a file gives itself. Nothing outside the
 * package folder is ever read, and nothing but regular files and links inside the module is packed.
 */
export async function collectModule(
  folder: string,
  name: string,
  source: string,
): Promise<Result<SourceModule, PackageProblem[]>> {
  const start = join(folder, source)
  const stat = await lstat(start).catch(() => undefined)
  if (!stat) return refuse([{ rule: 'missing-file', field: source, problem: `is missing, module ${name} needs it` }])
  const real = await realpath(start).catch(() => undefined)
  if (real === undefined || !(real + sep).startsWith((await realpath(folder)) + sep)) {
    return refuse([{ rule: 'path-escape', field: source, problem: 'leads out of the package folder' }])
  }

  const found: Found = { files: [], links: [], problems: [] }
  if (stat.isDirectory()) await walk(start, '', name, found)
  else await take(start, basename(start), name, found)
  checkLinks(name, found)
  if (found.problems.length === 0 && found.files.length === 0) {
    found.problems.push({ rule: 'empty-module', field: source, problem: `has no files, so module ${name} is empty` })
  }
  if (found.problems.length > 0) return refuse(found.problems)
  return ok({ name, files: found.files.toSorted(byPath), links: found.links.toSorted(byPath) })
}

/** By UTF-16 code units: the same order on every machine, whatever its language. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  if (a.path === b.path) return 0
  return a.path < b.path ? -1 : 1
}

async function walk(folder: string, prefix: string, module: string, found: Found): Promise<void> {
  const names = await readdir(folder)
  if (names.length === 0 && prefix !== '') {
    found.problems.push({
      rule: 'empty-module',
      field: `${module}/${prefix}`.replace(/\/$/, ''),
      problem: 'is an empty folder; folders exist through their files',
    })
  }
  for (const name of names) {
    const stat = await lstat(join(folder, name))
    if (stat.isDirectory()) await walk(join(folder, name), `${prefix}${name}/`, module, found)
    else await take(join(folder, name), `${prefix}${name}`, module, found)
    if (found.files.length > limits.files) return
  }
}

async function take(source: string, path: string, module: string, found: Found): Promise<void> {
  const field = `${module}/${path}`
  const stray = problemOfTreePath(path)
  if (stray !== undefined) {
    found.problems.push({ rule: 'path-escape', field, problem: stray })
    return
  }
  const stat = await lstat(source)
  if (stat.isSymbolicLink()) {
    found.links.push({ path, target: await readlink(source) })
  } else if (stat.isFile()) {
    const mode = (stat.mode & 0o100) === 0 ? 0o644 : 0o755
    found.files.push({ path, source, mode, sizeBytes: stat.size })
  } else {
    found.problems.push({ rule: 'special-file', field, problem: 'is a device, pipe or socket and cannot be packed' })
  }
}

function checkLinks(module: string, found: Found): void {
  const known = new Set<string>()
  for (const { path } of [...found.files, ...found.links]) {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) known.add(path.slice(0, end))
  }
  for (const { path, target } of found.links) {
    const field = `${module}/${path}`
    const to = resolveLink(path, target)
    if (to === undefined) {
      found.problems.push({ rule: 'link-escape', field, problem: `is a link to ${target}, outside the module` })
    } else if (to !== '' && !known.has(to)) {
      found.problems.push({
        rule: 'missing-file',
        field,
        problem: `is a link to ${target}, which is not in the module`,
      })
    }
  }
}
