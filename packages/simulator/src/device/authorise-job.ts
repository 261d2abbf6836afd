import type { AuthorisedBy } from '@bascule/contract/device/protocol.ts'
import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { authorise } from '@bascule/trust/client/authorise.ts'
import type { AuthorityRefusal } from '@bascule/trust/client/refusal.ts'
import type { VerifiedAuthority } from '@bascule/trust/client/verified-authority.ts'
import type { Device, World } from './device.ts'
import type { Knowledge } from './hear.ts'
import type { SimJob } from './job.ts'

/** What a device asks before it does anything, as an agent asks it: did people sign exactly this, for this device, now? */
export function authoriseJob(
  world: World,
  device: Device,
  { id, custom, manifestSha256 }: Pick<SimJob, 'id' | 'custom' | 'manifestSha256'>,
  { authority, manifests }: Knowledge,
  nowMs: number,
): Result<AuthorisedBy, AuthorityRefusal> {
  if (!authority.ok) return authority
  const line = device.lines[custom.productLine]
  const answer = authorise({
    authority: authority.value,
    assignment: device.assignment,
    jobId: id,
    manifestBytes: manifests.get(manifestSha256)?.bytes ?? Buffer.alloc(0),
    deviceId: device.key.keyId,
    installed: line?.installed ?? null,
    kept: line?.kept ?? null,
    at: Temporal.Instant.from(world.stamp(nowMs)),
    memory: { ...authority.value.memory, installed: {}, assignmentVersion: device.generation },
  })
  return answer.ok ? ok(authorisedBy(authority.value, answer.value.authorisedBy)) : refuse(answer.error)
}

function authorisedBy(
  { rootVersion }: VerifiedAuthority,
  { signers, ...by }: Omit<AuthorisedBy, 'rootVersion' | 'signers'> & { readonly signers: readonly string[] },
): AuthorisedBy {
  return { ...by, rootVersion, signers: [...signers] }
}

/** Judged again at every check-in: newer files or another assignment may lift it. */
export function refused(job: SimJob, { code, rule, fact }: AuthorityRefusal, since: string): SimJob {
  if (job.wait?.refusal?.rule === rule) return job
  const detail = fact.slice(0, 500)
  const wait = { reason: 'gate', detail, since, wakesOn: 'newer signed files come', refusal: { code, rule } } as const
  return { ...job, step: 'precheck', untilMs: Infinity, wait }
}

/** Begins with what was refused, or with what has just come. */
export function allowed(job: SimJob, by: AuthorisedBy, nowMs: number): SimJob {
  const { wait: _lifted, ...rest } = job
  return { ...rest, step: 'received', untilMs: nowMs, authorisedBy: by }
}
