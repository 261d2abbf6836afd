import * as z from 'zod'
import { releaseId } from '../lib/ids.ts'
import { pageOf, PageInput } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'

export const releaseStates = [
  'draft',
  'planned',
  'building',
  'testing',
  'accepting',
  'authorised',
  'rolling-out',
  'early-life',
  'in-review',
  'closed',
  'on-hold',
  'cancelled',
  'backing-out',
  'backed-out',
] as const

const permille = z.int().min(0).max(1000)
const queryText = z.string().max(2000)

/**
 * One phase as planned. A device of the audience belongs to the first phase whose query matches it; an empty query
 * takes everybody who is left. `sample:10%` in a query picks a stable tenth.
 */
export const PhasePlan = z.object({
  name: z.string().trim().min(1).max(100),
  query: queryText.default(''),
  advanceAtPermille: permille.default(950).describe('Share of devices verified before the phase may go on.'),
  successPermilleMin: permille.default(950).describe('Smallest share of verified among verified and failed.'),
  failureBudget: z.int().min(0).max(1_000_000).default(1).describe('This many failures stop the phase.'),
  inFlightMax: z.int().min(1).max(1_000_000).default(50).describe('Failed plus installing never exceeds this.'),
  soakSeconds: z.int().min(0).max(31_536_000).default(0),
  silenceBudget: z.int().min(0).max(1_000_000).default(0).describe('How many devices may have gone quiet.'),
  notBefore: instant.nullable().default(null),
  notAfter: instant.nullable().default(null),
})
export type PhasePlan = z.infer<typeof PhasePlan>

export const Audience = z.object({
  query: queryText,
  /** Frozen when a board is asked, or open to devices that come to match later ("server decides who"). */
  mode: z.enum(['frozen', 'dynamic']).default('frozen'),
})
export type Audience = z.infer<typeof Audience>

export const ReleasePackage = z.object({ name: z.string().min(1).max(100), version: z.string().min(1).max(100) })

const ReleasePlanFields = {
  title: z.string().trim().min(1).max(120),
  version: z.string().trim().min(1).max(60),
  productLine: z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/, 'is not a product line code'),
  objective: z.string().trim().max(2000).default(''),
  packages: z.array(ReleasePackage).min(1).max(50),
  audience: Audience,
  phases: z.array(PhasePlan).min(1).max(50),
  verifyLevel: z.int().min(0).max(4).default(4),
  autoBackout: z.boolean().default(true),
  /** Whether devices may go back to an earlier release at once, or only after the board has signed the way back. */
  backOut: z.enum(['pre-authorised', 'signed']).default('pre-authorised'),
  /** Whether the software may be removed where a device had no earlier version. */
  mayRemove: z.boolean().default(true),
}
export const ReleasePlan = z.object(ReleasePlanFields)
export type ReleasePlan = z.infer<typeof ReleasePlan>

/** The six steps of the cockpit. `done` and `now` come from the release's state. */
export const LifecycleStep = z.object({
  key: z.enum(['plan', 'build-and-test', 'acceptance', 'rollout', 'early-life', 'review']),
  status: z.enum(['done', 'now', 'ahead']),
  since: instant
    .nullable()
    .describe('When the release came to the step; null ahead of it and for a step that was left out.'),
})

export const RolloutSummary = z.object({
  state: z.string(),
  phase: z.int().nullable().describe('The phase that is at work, from 1; null before and after.'),
  phases: z.int(),
  audience: z.int(),
  verified: z.int(),
  failures: z.int(),
})

export const ReleaseRow = z.object({
  id: releaseId,
  title: z.string(),
  version: z.string(),
  productLine: z.string(),
  state: z.enum(releaseStates),
  owner: z.string(),
  updatedAt: instant,
  rollout: RolloutSummary.nullable(),
})
export type ReleaseRow = z.infer<typeof ReleaseRow>

export const ReleaseView = z.object({
  ...ReleasePlanFields,
  id: releaseId,
  state: z.enum(releaseStates),
  owner: z.string(),
  createdAt: instant,
  updatedAt: instant,
  counter: z.int().nullable(),
  /** SHA-256 of the release manifest; null until a board is asked, and again when it does not agree. */
  manifestSha256: z.string().nullable(),
  lifecycle: z.array(LifecycleStep),
})
export type ReleaseView = z.infer<typeof ReleaseView>

export const AudiencePreview = z.object({
  audience: z.int(),
  phases: z.array(z.object({ order: z.int(), name: z.string(), devices: z.int() })),
  /** Devices of the audience that no phase takes; a board is not asked while there are any. */
  unplaced: z.int(),
})

const one = z.object({ releaseId })

export const release = {
  list: procedure
    .route({ method: 'GET', path: '/releases', summary: 'Releases, newest first' })
    .meta({ permission: 'release.read' })
    .input(PageInput.extend({ state: z.enum(releaseStates).optional(), search: z.string().max(200).optional() }))
    .output(pageOf(ReleaseRow)),
  get: procedure
    .route({ method: 'GET', path: '/releases/{releaseId}', summary: 'One release with its plan' })
    .meta({ permission: 'release.read' })
    .input(one)
    .output(ReleaseView),
  preview: procedure
    .route({
      method: 'POST',
      path: '/releases/preview',
      summary: 'How many devices a plan would reach, phase by phase',
    })
    .meta({ permission: 'release.read' })
    .input(z.object({ audience: Audience, phases: z.array(PhasePlan).min(1).max(50) }))
    .output(AudiencePreview),
  create: procedure
    .route({ method: 'POST', path: '/releases', summary: 'Plan a release' })
    .meta({ permission: 'release.write' })
    .input(ReleasePlan)
    .output(one),
  update: procedure
    .route({
      method: 'PUT',
      path: '/releases/{releaseId}',
      summary: 'Change the plan of a release that has not started',
    })
    .meta({ permission: 'release.write' })
    .input(ReleasePlan.extend({ releaseId }))
    .output(one),
  cancel: procedure
    .route({ method: 'POST', path: '/releases/{releaseId}/cancel', summary: 'Cancel a release that has not started' })
    .meta({ permission: 'release.write' })
    .input(z.object({ releaseId, reason: z.string().trim().min(1).max(1000) }))
    .output(one),
}
