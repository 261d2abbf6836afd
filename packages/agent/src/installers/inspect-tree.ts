import { lstatSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { hashFile } from '#/store/hash-file.ts'
import type { Inspection, VersionContent } from './installer.ts'

interface FoundFile {
  readonly path: string
  readonly sha256: string
  readonly executable: boolean
}
type Found = FoundFile | { readonly path: string; readonly target: string }

/** Re-hashes every file of a version. Files the software made for itself are not its content and are not judged. */
export function inspectTree(folder: string, content: VersionContent): Inspection {
  const found: Found[] = []
  const problems: string[] = []
  for (const file of content.files) {
    const seen = lookAtFile(path.join(folder, file.path), file.path)
    if (typeof seen === 'string') problems.push(seen)
    else {
      found.push(seen)
      if (seen.sha256 !== file.sha256) problems.push(`${file.path} has other content`)
      if (seen.executable !== (file.mode === 0o755)) problems.push(`${file.path} has other rights`)
    }
  }
  for (const link of content.links) {
    const stat = lstatSync(path.join(folder, link.path), { throwIfNoEntry: false })
    const target = stat?.isSymbolicLink() === true ? readlinkSync(path.join(folder, link.path)) : undefined
    if (target !== undefined) found.push({ path: link.path, target })
    if (target !== link.target) problems.push(`${link.path} is not a link to ${link.target}`)
  }
  found.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { problems, fileCount: found.length, treeSha256: sha256Hex(canonicalJson(found)) }
}

function lookAtFile(file: string, name: string): FoundFile | string {
  const stat = lstatSync(file, { throwIfNoEntry: false })
  if (!stat) return `${name} is missing`
  if (!stat.isFile()) return `${name} is not a file`
  const executable = process.platform === 'win32' || (stat.mode & 0o100) !== 0
  return { path: name, sha256: hashFile(file), executable }
}
