import type { Case } from '../case/case-view.ts'

export interface Said {
  kind: 'no-go' | 'defer'
  reason: string
  /** A day, only with a deferral. */
  untilOn?: string
}

/** What is signed for a no-go or a deferral. It names the manifest: a word about other bytes is another word. */
export function statementOf(found: Case, by: string, { kind, reason, untilOn }: Said, at: Date) {
  return {
    _type: 'bascule-statement',
    specVersion: 1,
    kind,
    by,
    at: at.toISOString().replace(/\.\d{3}Z$/, 'Z'),
    release: found.releaseId as string,
    manifestSha256: found.manifestSha256 === '' ? null : found.manifestSha256,
    reason,
    case: found.id as string,
    ...(untilOn === undefined ? {} : { untilOn }),
  }
}
export type Statement = ReturnType<typeof statementOf>

/** The same with the tool. */
export function sayCommand(caseId: string, { kind, reason, untilOn }: Said): string {
  const until = untilOn === undefined ? '' : ` --until ${untilOn === '' ? 'YYYY-MM-DD' : untilOn}`
  return `bascule case ${kind} ${caseId}${until} --reason ${quoted(reason === '' ? '…' : reason)}`
}

/** One argument of a shell, whatever stands in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
