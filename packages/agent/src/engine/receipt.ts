import type { Receipt, ReceiptSigned, Report } from '@bascule/contract/device/protocol.ts'
import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import { signReceipt } from '@bascule/trust/receipt.ts'
import { wireAuthorisation } from '#/authority/authorised-by.ts'
import { agentVersion } from '#/agent-version.ts'
import { inspectionOf } from '#/verify/check-packages.ts'
import { checkedPackage } from './effects.ts'
import type { Job, Outcome, PlannedPackage } from './job.ts'
import { plainText } from './plain-text.ts'
import type { World } from './world.ts'

/** The report of what a job has come to; with a terminal step it carries the signed receipt. */
export function reportOf(world: World, job: Job): Report {
  const seq = world.journal.state.reportHigh + 1
  const at = world.now()
  return {
    seq,
    job: job.id,
    at,
    step: job.step,
    ...(job.wait ? { wait: wireWait(job.wait) } : {}),
    ...(job.stuck ? { stuck: job.stuck } : {}),
    notes: [...job.notes],
    ...(isTerminalStep(job.step) ? { receipt: receiptOf(world, job, seq, at) } : {}),
  }
}

/** Without what only this device needs to know. */
export function wireWait({ needBytes: _need, ...wait }: NonNullable<Job['wait']>): NonNullable<Report['wait']> {
  return wait
}

function receiptOf(world: World, job: Job, seq: number, at: string): Receipt {
  const signed: ReceiptSigned = {
    _type: 'bascule-receipt',
    specVersion: 1,
    device: world.key.keyId,
    seq,
    job: job.id,
    release: job.release,
    manifestSha256: job.manifest.sha256,
    generation: job.generation,
    action: job.action,
    outcome: job.step as Outcome,
    packages: (job.plan?.packages ?? []).map((entry) => packageLine(world, job, entry)),
    verification: [...job.verification],
    ...(job.authorisedBy ? { authorisedBy: wireAuthorisation(job.authorisedBy) } : {}),
    cause: job.cause ?? null,
    startedAt: job.startedAt,
    finishedAt: at,
    agentVersion,
  }
  return signReceipt(signed, world.key)
}

/** What is on the disk now, not what was meant to be. */
function packageLine(world: World, job: Job, entry: PlannedPackage): ReceiptSigned['packages'][number] {
  const active = world.installers.get(entry.installer)?.active(entry.name, job.activation) ?? null
  const [checked] = active === null ? [] : checkedPackage(world, job, entry, active)
  const inspection = checked ? inspectionOf(checked) : null
  return {
    name: entry.name,
    version: entry.version,
    index: entry.index,
    variant: entry.variant,
    modules: [...entry.modules],
    before: versionText(entry.versionBefore),
    after: versionText(checked?.version ?? null),
    fileCount: inspection?.fileCount ?? 0,
    treeSha256: inspection?.treeSha256 ?? null,
  }
}

/** What was there before us may be called anything: the name of a folder stands in for a version nobody wrote down. */
function versionText(found: string | null): string | null {
  return found === null ? null : plainText(found, 100)
}
