/**
 * One thing wrong with a package: a stable word for programs, where it is (`bascule.yaml:12:5 verify.level`,
 * `core/bin/tool`, a digest) and what is wrong, as a sentence without subject: "is missing".
 */
export interface PackageProblem {
  readonly rule: PackageRule
  readonly field: string
  readonly problem: string
}

export type PackageRule =
  | 'broken-yaml'
  | 'invalid-field'
  | 'missing-file'
  | 'path-escape'
  | 'link-escape'
  | 'special-file'
  | 'empty-module'
  | 'duplicate-file'
  | 'over-size'
  | 'not-executable'
  | 'broken-json'
  | 'media-type'
  | 'missing-blob'
  | 'digest-mismatch'
  | 'size-mismatch'
  | 'file-list'
  | 'chunk-table'
  | 'not-a-layout'

/** "verify.level is missing": the sentence for a person. */
export function describeProblem(problem: PackageProblem): string {
  return `${problem.field} ${problem.problem}`
}
