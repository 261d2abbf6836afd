import type { JobAction, JobState } from '@bascule/domain/deliver/job.ts'
import type { PhaseState } from '@bascule/domain/deliver/phase.ts'
import type { RolloutState } from '@bascule/domain/deliver/rollout.ts'
import type { ColumnType, Generated } from 'kysely'

type At = ColumnType<Temporal.Instant, string, string>
type AtOrNull = ColumnType<Temporal.Instant | null, string | null, string | null>

export interface RolloutTable {
  id: Generated<number>
  release_id: string
  /** Name of the release as a signed target. */
  path: string
  state: RolloutState
  state_since: At
  rev: Generated<number>
  audience_mode: 'frozen' | 'dynamic'
  audience_query: string
  members: Buffer
  pause_reason: string | null
  paused_by: string | null
  paused_at: AtOrNull
  started_at: At
  finished_at: AtOrNull
}

export interface PhaseTable {
  rollout_id: number
  ord: number
  name: string
  query: string
  size: number
  late_joiners: Generated<number>
  state: PhaseState
  state_since: At
  state_because: Generated<string>
  soaking_since: AtOrNull
  advance_at_permille: number
  success_permille_min: number
  failure_budget: number
  in_flight_max: number
  soak_seconds: number
  silence_budget: number
  not_before: AtOrNull
  not_after: AtOrNull
  audience_root: string | null
}

export interface JobTable {
  rollout_id: number
  device_id: number
  id: Generated<number>
  phase: number
  attempt: Generated<number>
  action: JobAction
  state: JobState
  state_since: At
  wait_reason: string | null
  stuck_reason: string | null
  sentence: string | null
  wakes_on: string | null
  report_seq: Generated<number>
  refusal_code: string | null
  refusal_rule: string | null
}

export interface PhaseCountTable {
  rollout_id: number
  ord: number
  action: JobAction
  state: JobState
  devices: number
}

export interface RolloutPaceTable {
  rollout_id: number
  at: At
  verified: number
  failures: number
}

export interface AssignmentTable {
  device_id: number
  generation: number
  document: unknown
  expires_at: AtOrNull
  stale: Generated<boolean>
  report_high: Generated<number>
}

export interface ReportTable {
  device_id: number
  seq: number
  job_id: number
  rollout_id: number | null
  at: At
  received_at: At
  step: string
  sentence: string
  notes: unknown
  receipt: unknown
  receipt_valid: boolean | null
}

declare module '#/platform/db/database.ts' {
  interface Database {
    rollout: RolloutTable
    phase: PhaseTable
    job: JobTable
    phase_count: PhaseCountTable
    rollout_pace: RolloutPaceTable
    assignment: AssignmentTable
    report: ReportTable
  }
}
