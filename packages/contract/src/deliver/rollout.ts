import { buckets, jobActions, jobStates } from '@bascule/domain/deliver/job.ts'
import { phaseStates } from '@bascule/domain/deliver/phase.ts'
import { rolloutStates } from '@bascule/domain/deliver/rollout.ts'
import * as z from 'zod'
import { releaseId } from '../lib/ids.ts'
import { pageOf, PageInput } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'
import { AuthorityRefused, keyId, Receipt } from '../device/protocol.ts'

const reason = z.string().trim().min(1).max(1000)
const order = z.coerce.number().int().min(1).max(250)
/** Code of a refusal, or `any` for all devices that refuse. */
export const refusalCode = z.string().regex(/^(?:any|[A-Z]{2,40})$/, 'is the code of a refusal, or any')
const one = z.object({ releaseId })

/** A phase in numbers; the buckets add up to `size` at all times. */
export const TallyView = z.object({
  size: z.int(),
  byBucket: z.record(z.enum(buckets), z.int()),
  failures: z.int(),
  inFlight: z.int(),
  /** Of those in flight, the ones that have gone quiet. As many as the silence budget give their place back. */
  vanished: z.int(),
  verified: z.int(),
  countable: z.int(),
  offered: z.int(),
  downloading: z.int(),
  installing: z.int(),
})

export const PhaseView = z.object({
  order: z.int(),
  name: z.string(),
  query: z.string(),
  state: z.enum(phaseStates),
  stateSince: instant,
  soakingSince: instant.nullable(),
  soakEndsAt: instant.nullable(),
  limits: z.object({
    advanceAtPermille: z.int(),
    successPermilleMin: z.int(),
    failureBudget: z.int(),
    inFlightMax: z.int(),
    soakSeconds: z.int(),
    silenceBudget: z.int(),
    notBefore: instant.nullable(),
    notAfter: instant.nullable(),
  }),
  tally: TallyView,
  /** The advance rule in words. */
  verdict: z.object({ answer: z.enum(['advance', 'hold', 'not-enough-evidence', 'stop']), because: z.string() }),
  lateJoiners: z.int(),
})
export type PhaseView = z.infer<typeof PhaseView>

/** Equal failures and waits, with whose turn it is. */
export const CauseView = z.object({
  kind: z.enum(['failed', 'waiting', 'rolled-back', 'silent']),
  cause: z.string().describe('A word: disk, network, health, trust, …'),
  /** The newest detail sentence of a device in this group. */
  sentence: z.string(),
  turn: z.enum(['heals-itself', 'user', 'desk', 'engineer']),
  devices: z.int(),
  oldestAt: instant.nullable(),
  /** Which check of the devices' own verification says no; null where nothing of the kind is in the way. */
  refusal: AuthorityRefused.nullable(),
})
export type CauseView = z.infer<typeof CauseView>

/** Verified devices over time, at most 200 points, for the pace chart. */
export const PacePoint = z.object({ at: instant, verified: z.int(), failures: z.int() })

export const RolloutView = z.object({
  releaseId,
  state: z.enum(rolloutStates),
  pause: z.object({ reason: z.string().nullable(), by: z.string(), at: instant }).nullable(),
  startedAt: instant,
  finishedAt: instant.nullable(),
  audienceMode: z.enum(['frozen', 'dynamic']),
  audienceQuery: z.string(),
  whole: TallyView,
  phases: z.array(PhaseView),
  causes: z.array(CauseView),
  pace: z.array(PacePoint),
  /** What happens next in one sentence. */
  next: z.string(),
  /** Says plainly who authorised this: who signed which version of which role, and who can no longer be found. */
  authority: z.string(),
})
export type RolloutView = z.infer<typeof RolloutView>

export const JobRow = z.object({
  deviceId: keyId,
  device: z.string(),
  phase: z.int(),
  job: z.string(),
  attempt: z.int(),
  action: z.enum(jobActions),
  state: z.enum(jobStates),
  cause: z.string().nullable(),
  sentence: z.string().nullable(),
  turn: z.enum(['heals-itself', 'user', 'desk', 'engineer']).nullable(),
  wakesOn: z.string().nullable(),
  /** Which check of the device's own verification says no. The sentence says it in words. */
  refusal: AuthorityRefused.nullable(),
  since: instant,
})
export type JobRow = z.infer<typeof JobRow>

/** What would be hit, in four numbers, before a back-out is asked for. */
export const BackOutPreview = z.object({
  devices: z.int(),
  verified: z.int(),
  leftWithout: z
    .int()
    .describe('Of the verified: had no earlier version, so a back-out leaves them without the software.'),
  inFlight: z.int(),
  notReached: z.int(),
  consequences: z.array(z.string()),
})

export const rollout = {
  get: procedure
    .route({ method: 'GET', path: '/releases/{releaseId}/rollout', summary: 'How the rollout stands' })
    .meta({ permission: 'rollout.read' })
    .input(one)
    .output(RolloutView),
  start: procedure
    .route({ method: 'POST', path: '/releases/{releaseId}/rollout/start', summary: 'Begin what the board let out' })
    .meta({ permission: 'rollout.start' })
    .input(one)
    .output(one),
  pause: procedure
    .route({
      method: 'POST',
      path: '/releases/{releaseId}/rollout/pause',
      summary: 'Stop devices that have not begun to install',
    })
    .meta({ permission: 'rollout.pause' })
    .input(z.object({ releaseId, reason: reason.optional() }))
    .output(one),
  explainPause: procedure
    .route({
      method: 'POST',
      path: '/releases/{releaseId}/rollout/pause-reason',
      summary: 'Give the reason of a pause after it',
    })
    .meta({ permission: 'rollout.pause' })
    .input(z.object({ releaseId, reason }))
    .output(one),
  resume: procedure
    .route({ method: 'POST', path: '/releases/{releaseId}/rollout/resume', summary: 'Go on' })
    .meta({ permission: 'rollout.start' })
    .input(z.object({ releaseId, reason }))
    .output(one),
  previewBackOut: procedure
    .route({ method: 'GET', path: '/releases/{releaseId}/rollout/back-out', summary: 'What a back-out would hit' })
    .meta({ permission: 'rollout.read' })
    .input(z.object({ releaseId, phase: order.optional() }))
    .output(BackOutPreview),
  backOut: procedure
    .route({
      method: 'POST',
      path: '/releases/{releaseId}/rollout/back-out',
      summary: 'Take one phase or all devices back',
    })
    .meta({ permission: 'rollout.back-out' })
    .input(
      z.object({
        releaseId,
        phase: z.int().min(1).max(250).optional().describe('Only this phase; without it all phases.'),
        reason,
        /** The release's title typed again; a slip of the mouse must not take devices back. */
        confirm: z.string().max(200),
      }),
    )
    .output(one),
  acceptResidual: procedure
    .route({
      method: 'POST',
      path: '/releases/{releaseId}/rollout/accept-residual',
      summary: 'Complete with devices left over',
    })
    .meta({ permission: 'rollout.start' })
    .input(z.object({ releaseId, reason }))
    .output(one),
}

export const phase = {
  pause: procedure
    .route({ method: 'POST', path: '/releases/{releaseId}/phases/{phase}/pause', summary: 'Pause one phase' })
    .meta({ permission: 'rollout.pause' })
    .input(z.object({ releaseId, phase: order, reason }))
    .output(one),
  resume: procedure
    .route({
      method: 'POST',
      path: '/releases/{releaseId}/phases/{phase}/resume',
      summary: 'Let a paused, held or failed phase go on',
    })
    .meta({ permission: 'rollout.start' })
    .input(
      z.object({
        releaseId,
        phase: order,
        reason,
        failureBudget: z.int().min(0).optional(),
        inFlightMax: z.int().min(1).optional(),
      }),
    )
    .output(one),
  accept: procedure
    .route({
      method: 'POST',
      path: '/releases/{releaseId}/phases/{phase}/accept',
      summary: 'Leave a held phase behind as it is',
    })
    .meta({ permission: 'rollout.start' })
    .input(z.object({ releaseId, phase: order, reason }))
    .output(one),
}

export const job = {
  list: procedure
    .route({ method: 'GET', path: '/releases/{releaseId}/jobs', summary: 'Devices of a rollout that have acted' })
    .meta({ permission: 'job.read' })
    .input(
      PageInput.extend({
        releaseId,
        phase: order.optional(),
        state: z.enum(jobStates).optional(),
        cause: z.string().max(40).optional(),
        refusal: refusalCode.optional(),
      }),
    )
    .output(pageOf(JobRow)),
  retry: procedure
    .route({ method: 'POST', path: '/releases/{releaseId}/jobs/retry', summary: 'Give devices that failed a new job' })
    .meta({ permission: 'job.retry' })
    .input(z.object({ releaseId, devices: z.array(keyId).min(1).max(1000) }))
    .output(z.object({ retried: z.int() })),
  excuse: procedure
    .route({
      method: 'POST',
      path: '/releases/{releaseId}/jobs/excuse',
      summary: 'Leave a device out of the count, with a reason',
    })
    .meta({ permission: 'job.retry' })
    .input(z.object({ releaseId, device: keyId, reason }))
    .output(one),
  ofDevice: procedure
    .route({
      method: 'GET',
      path: '/devices/{deviceId}/jobs',
      summary: 'What this device was asked to do and what came of it',
    })
    .meta({ permission: 'job.read' })
    .input(PageInput.extend({ deviceId: keyId }))
    .output(pageOf(JobRow.extend({ releaseId, release: z.string() }))),
}

/** One line of a device's timeline, newest first. */
export const ReportRow = z.object({
  seq: z.int(),
  job: z.string(),
  releaseId: releaseId.nullable(),
  release: z.string().nullable(),
  at: instant,
  receivedAt: instant,
  step: z.string(),
  sentence: z.string(),
  notes: z.array(z.string()),
  receipt: Receipt.nullable(),
  receiptValid: z.boolean().nullable(),
})

export const receipt = {
  ofDevice: procedure
    .route({
      method: 'GET',
      path: '/devices/{deviceId}/reports',
      summary: 'Timeline of reports and receipts of a device',
    })
    .meta({ permission: 'receipt.read' })
    .input(PageInput.extend({ deviceId: keyId }))
    .output(pageOf(ReportRow)),
}
