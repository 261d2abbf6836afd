import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '#scripts/lib/root.ts'

/** Paths of the repository's files, those not yet committed included, ignored ones not; all with `/`. */
export function trackedFiles(matching: RegExp = /./): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  return listed.split('\0').filter((path) => path !== '' && matching.test(path) && existsSync(join(root, path)))
}

export function readTracked(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
