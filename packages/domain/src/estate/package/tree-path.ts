/**
 * Why a path cannot name a file inside a package, or undefined when it can. Such a path is relative, written with
 * `/`, without `.` and `..`, and means the same on every operating system that devices run.
 */
export function problemOfTreePath(path: string): string | undefined {
  if (path === '') return 'is empty'
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute'
  if (path.includes('\\')) return 'contains a backslash'
  // oxlint-disable-next-line no-control-regex -- a control character in a file name is exactly what is refused
  if (/[\u0000-\u001F\u007F]/.test(path)) return 'contains a control character'
  const parts = path.split('/')
  if (parts.includes('..')) return 'leaves the folder'
  if (parts.includes('.') || parts.includes('')) return 'is not in its shortest form'
  if (path.length > 500) return 'is longer than 500 characters'
  return undefined
}

/** The file in which a device notes what it installed; it lies beside the files of the package. */
export const recordPath = '.bascule.json'

/**
 * The first thing that keeps these paths, of files and links alike, from being one tree. Nothing may lie below a file,
 * and nothing below a link: where that leads depends on all links before it, so even a link that looks harmless by
 * itself could be a way out of the tree.
 */
export function findStrayEntry(
  paths: readonly string[],
): { readonly path: string; readonly problem: string } | undefined {
  const entries = new Set(paths)
  for (const path of entries) {
    if (path === recordPath || path.startsWith(`${recordPath}/`))
      return { path, problem: 'is where a device keeps its own record' }
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
      const above = path.slice(0, at)
      if (entries.has(above)) return { path, problem: `lies below ${above}, which is a file or a link` }
    }
  }
  return undefined
}

/**
 * Where a link at `path` leads, as a path inside the tree; undefined when it leaves the tree. `..` may only stand at
 * the front: after a name that is itself a link, it would mean another folder than it says.
 */
export function resolveLink(path: string, target: string): string | undefined {
  if (target === '' || target.startsWith('/') || target.includes('\\') || target.includes('\u0000')) return undefined
  const parts = path.split('/').slice(0, -1)
  let isAfterName = false
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') {
      if (isAfterName || parts.pop() === undefined) return undefined
    } else {
      isAfterName = true
      parts.push(part)
    }
  }
  return parts.join('/')
}
