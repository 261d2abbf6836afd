import { setTimeout as sleep } from 'node:timers/promises'
import { sayAuthorisation, type Authorisation } from '#/authority/authorised-by.ts'
import type { VerificationResult } from '#/engine/job.ts'
import type { Inspection, Installer, VersionContent } from '#/installers/installer.ts'
import type { Platform } from '#/platform/platform.ts'
import { runCommand } from './run-command.ts'

export interface CheckedPackage {
  readonly name: string
  readonly version: string
  readonly folder: string
  readonly activation: string
  readonly installer: Installer
  readonly content: VersionContent
}

export interface CheckRequest {
  readonly packages: readonly CheckedPackage[]
  /** The deepest level that is asked for. Detection and re-hash are cheap and always done up to it. */
  readonly level: number
  /** Names the control group of the commands. */
  readonly group: string
  readonly platform: Platform
  readonly signal: AbortSignal
}

export interface CheckAnswer {
  readonly verification: VerificationResult[]
  /** The first thing that is wrong, in a sentence; null when all is well. */
  readonly failure: string | null
}

/** Levels 2, 3 and 4 on what is installed. Local only: nothing a server says or fails to say enters the verdict. */
export async function checkPackages(request: CheckRequest): Promise<CheckAnswer> {
  const present = presence(request.packages)
  const intact = request.level >= 3 ? intactness(request.packages) : notAsked(3)
  const soFar = [present, intact].find((result) => result.result === 'failed')
  const works = request.level < 4 ? notAsked(4) : soFar ? skipped() : await health(request)
  const verification = [present, intact, works]
  const failed = verification.find((result) => result.result === 'failed')
  return { verification, failure: failed?.detail ?? null }
}

/** What the receipt says about a package: how many files were found and the hash over all of them. */
export function inspectionOf({ installer, name, folder, content }: CheckedPackage): Inspection {
  return installer.inspect(name, folder, content)
}

function presence(packages: readonly CheckedPackage[]): VerificationResult {
  const problems = packages.flatMap(({ name, folder, activation, installer, content }) => {
    const active = installer.active(name, activation)
    if (active !== folder) return [`${name}: ${activation} is ${active ?? 'nothing'}, not ${folder}`]
    return installer.detect(name, folder, content).map((problem) => `${name}: ${problem}`)
  })
  const good = packages.map(({ name, version }) => `${name} ${version} is there`).join(', ')
  return resultOf(2, problems, good === '' ? 'Nothing is to be there, and nothing is' : good)
}

function intactness(packages: readonly CheckedPackage[]): VerificationResult {
  const inspections = packages.map((entry) => ({ name: entry.name, ...inspectionOf(entry) }))
  const problems = inspections.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`))
  const count = inspections.reduce((sum, { fileCount }) => sum + fileCount, 0)
  return resultOf(3, problems, `${count} files hashed again, all as signed`)
}

async function health(request: CheckRequest): Promise<VerificationResult> {
  const passed: string[] = []
  for (const { name, version, folder, installer, content } of request.packages) {
    if (content.health === null) continue
    const { run, args, settleSeconds, timeoutSeconds } = content.health
    await sleep(settleSeconds * 1000, undefined, { signal: request.signal })
    const cwd = installer.pathOf(name, folder)
    const outcome = await runCommand({
      file: `${cwd}/${run}`,
      args,
      cwd,
      env: { BASCULE_PACKAGE: name, BASCULE_VERSION: version },
      timeoutMs: timeoutSeconds * 1000,
      name: request.group,
      platform: request.platform,
      signal: request.signal,
    })
    if (outcome.exitCode !== 0) return resultOf(4, [`${name}: the health command ${run} ${outcome.summary}`], '')
    passed.push(`${name}: ${run} ${outcome.summary}`)
  }
  if (passed.length === 0)
    return { level: 4, result: 'not-asked', detail: 'No package of the release has a health command.' }
  return resultOf(4, [], passed.join('; '))
}

function resultOf(level: number, problems: readonly string[], good: string): VerificationResult {
  const isGood = problems.length === 0
  const more = problems.length > 3 ? ` and ${problems.length - 3} more` : ''
  const detail = isGood ? good : `${problems.slice(0, 3).join('; ')}${more}`
  return { level, result: isGood ? 'passed' : 'failed', detail }
}

function notAsked(level: number): VerificationResult {
  return { level, result: 'not-asked', detail: `The release does not ask for level ${level}.` }
}

function skipped(): VerificationResult {
  return { level: 4, result: 'not-asked', detail: 'Not run, because a check before it failed.' }
}

/** Levels 0 and 1, which were decided before anything was installed. */
export function deliveryResults(
  blobCount: number,
  sizeBytes: number,
  by: Authorisation | undefined,
): VerificationResult[] {
  return [
    {
      level: 0,
      result: 'passed',
      detail: `${blobCount} blobs with ${sizeBytes} bytes, each with its size and SHA-256`,
    },
    by
      ? { level: 1, result: 'passed', detail: `Authorised by the board: ${sayAuthorisation(by)}` }
      : { level: 1, result: 'not-yet', detail: 'Authorised before this agent asked the board' },
  ]
}
