import type { ReceiptSigned, Report } from '@bascule/contract/device/protocol.ts'
import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { signReceipt } from '@bascule/trust/receipt.ts'
import type { Device, Installed, InstalledLine, World } from './device.ts'
import { agentVersion } from './identity.ts'
import type { SimJob } from './job.ts'

const healthCause = 'The health command ended with exit code 1'

/** The report of what a job has come to; with a terminal step it carries a receipt that the device really signs. */
export function reportOf(world: World, device: Device, job: SimJob, nowMs: number): Report {
  const seq = device.reportHigh + 1
  const at = world.stamp(nowMs)
  return {
    seq,
    job: job.id,
    at,
    step: job.step,
    ...(job.wait ? { wait: job.wait } : {}),
    ...(job.step === 'needs-admin' ? { stuck: { reason: 'health' as const, detail: healthCause } } : {}),
    notes: [...job.notes],
    ...(isTerminalStep(job.step) ? { receipt: signReceipt(receiptOf(world, device, job, seq, at), device.key) } : {}),
  }
}

function receiptOf(world: World, device: Device, job: SimJob, seq: number, at: string): ReceiptSigned {
  return {
    _type: 'bascule-receipt',
    specVersion: 1,
    device: device.key.keyId,
    seq,
    job: job.id,
    release: job.custom.release,
    manifestSha256: job.manifestSha256,
    generation: job.generation,
    action: job.custom.action,
    outcome: job.step as ReceiptSigned['outcome'],
    packages: packageLines(device, job),
    verification: verificationOf(job),
    ...(job.authorisedBy && job.step !== 'cancelled' ? { authorisedBy: job.authorisedBy } : {}),
    cause: causeOf(job),
    startedAt: world.stamp(job.startedAtMs),
    finishedAt: at,
    agentVersion,
  }
}

/** The digests are the real ones of the release; the tree on the disk is imagined, and its hash says so by its text. */
function packageLines(device: Device, job: SimJob): ReceiptSigned['packages'] {
  return job.manifest.packages.map(({ name, version, index }) => {
    const after = device.installed[name]?.version ?? null
    return {
      name,
      version,
      index: index.digest,
      variant: 'simulated',
      modules: [],
      before: job.before[name] ?? null,
      after,
      fileCount: after === null ? 0 : 1,
      treeSha256: after === null ? null : sha256Hex(`simulated tree of ${name} ${after}`),
    }
  })
}

function verificationOf(job: SimJob): ReceiptSigned['verification'] {
  if (job.step === 'cancelled' || job.step === 'already-present') return []
  const failed = job.step === 'rolled-back'
  return [
    { level: 0, result: 'passed', detail: 'Simulated.' },
    { level: 4, result: failed ? 'failed' : 'passed', detail: failed ? healthCause : 'Simulated.' },
  ]
}

function causeOf(job: SimJob): string | null {
  if (job.step === 'rolled-back') return healthCause
  return job.step === 'cancelled' ? 'The server withdrew the job before anything was installed.' : null
}

/** What the product line of a job has when it has ended in this step. */
export function linesAfter(device: Device, job: SimJob): Readonly<Record<string, InstalledLine>> {
  if (job.step !== 'committed') return device.lines
  const { productLine, action, release } = job.custom
  const { [productLine]: before, ...others } = device.lines
  if (action === 'install') {
    const installed = { release, counter: job.manifest.counter, manifestSha256: job.manifestSha256 }
    return { ...others, [productLine]: { installed, kept: before?.installed ?? null } }
  }
  const kept = action === 'back-out' ? before?.kept : null
  return kept ? { ...others, [productLine]: { installed: kept, kept: null } } : others
}

/** What the device runs when a job has ended in this step. */
export function installedAfter(device: Device, job: SimJob): Readonly<Record<string, Installed>> {
  if (job.step !== 'committed') return device.installed
  const installed: Record<string, Installed> = { ...device.installed }
  for (const { name, version } of job.manifest.packages) {
    const kept = installed[name]?.versionBefore ?? null
    if (job.custom.action === 'install') installed[name] = { version, versionBefore: job.before[name] ?? null }
    else if (job.custom.action === 'back-out' && kept !== null) installed[name] = { version: kept, versionBefore: null }
    else delete installed[name]
  }
  return installed
}
