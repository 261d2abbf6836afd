import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import type { CheckIn, Report } from '@bascule/contract/device/protocol.ts'
import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { verifyReceipt } from '@bascule/trust/receipt.ts'
import { readJournal } from '#/journal/journal.ts'
import { packageName, type TestRelease } from '#/testing/test-release.ts'

/**
 * The version that `current` names, when every file of it is whole; null when there is no `current`. Knows nothing of
 * the agent's own bookkeeping: it compares the disk with what was packed. Answers a violation as `broken: …`.
 */
export function versionOnDisk(root: string, releases: readonly TestRelease[]): string | null {
  const current = path.join(root, packageName, 'current')
  if (!lstatSync(current, { throwIfNoEntry: false })) return null
  const folder = path.join(root, packageName, readlinkSync(current))
  const release = releases.find(({ version }) => path.basename(folder).startsWith(`${version}-`))
  if (!release) return `broken: current names ${folder}`
  for (const [name, hash] of Object.entries(release.tree)) {
    const stat = lstatSync(path.join(folder, name), { throwIfNoEntry: false })
    if (!stat) return `broken: ${release.version} without ${name}`
    if (sha256Hex(readFileSync(path.join(folder, name))) !== hash)
      return `broken: ${release.version} with other bytes in ${name}`
    if (name.startsWith('bin/') && (stat.mode & 0o111) === 0) return `broken: ${name} cannot be started`
  }
  return release.version
}

/** Whether the memory of a device has the file that permitted what it did. */
export function problemsOfMemory(data: string, must: { readonly role: string; readonly version: number }): string[] {
  const seen = readJournal(data)?.authority?.roles[must.role] ?? 0
  return seen >= must.version ? [] : [`forgot ${must.role} ${must.version} and knows ${seen}`]
}

/** A device that has told that it verified a version never tells an older one. */
export function versionsThatFell(checkIns: readonly CheckIn[]): string[] {
  const told = checkIns.map(({ metadataVersion }) => metadataVersion ?? 0)
  return told.flatMap((version, index) => {
    const before = told[index - 1] ?? 0
    return version < before ? [`forgot timestamp ${before} and told ${version}`] : []
  })
}

export interface Expectation {
  readonly job: string
  readonly publicKey: string
  /** Version on disk for each way the job may end. */
  readonly versionAfter: Readonly<Record<string, string | null>>
}

/** Everything that must hold once all is quiet: the job ended or says why not, was told once, and told the truth. */
export function violationsOf(reports: readonly Report[], onDisk: string | null, expected: Expectation): string[] {
  const violations: string[] = []
  const own = reports.filter(({ job }) => job === expected.job)
  const ends = own.filter(({ step }) => isTerminalStep(step))
  const stuck = own.filter(({ step }) => step === 'needs-admin')
  if (ends.length > 1) violations.push(`told ${ends.length} ends: ${ends.map(({ step }) => step).join(', ')}`)
  if (ends.length === 0 && stuck.length === 0) violations.push('neither ended nor says that it needs a person')
  for (const { stuck: why } of stuck) {
    if (!why || why.detail === '') violations.push('needs a person without a reason')
    // None of these faults may leave a tree in a state that the agent cannot tell.
    else if (why.reason !== 'storage') violations.push(`needs a person for ${why.reason}: ${why.detail}`)
  }
  const [end] = ends
  if (end) violations.push(...problemsOfEnd(end, onDisk, expected))
  const numbers = reports.map(({ seq }) => seq).toSorted((a, b) => a - b)
  if (numbers.some((seq, index) => seq !== index + 1)) violations.push(`report numbers have gaps: ${numbers.join(' ')}`)
  return violations
}

function problemsOfEnd(end: Report, onDisk: string | null, expected: Expectation): string[] {
  const wanted = expected.versionAfter[end.step]
  if (wanted === undefined) return [`ended ${end.step}, which must not happen here`]
  const problems = wanted === onDisk ? [] : [`a lie: told ${end.step}, the disk has ${onDisk ?? 'nothing'}`]
  const receipt = verifyReceipt(end.receipt, expected.publicKey)
  if (!receipt.ok) return [...problems, `the receipt is not valid: ${receipt.error.message}`]
  if (!receipt.value.authorisedBy) problems.push(`ended ${end.step} and does not say who permitted it`)
  const after = receipt.value.packages[0]?.after ?? null
  return after === onDisk
    ? problems
    : [...problems, `the receipt says ${after ?? 'nothing'}, the disk has ${onDisk ?? 'nothing'}`]
}
