import type { Drift } from '@bascule/domain/estate/configuration/drift.ts'
import type { BaselineId, ConfigurationItemId, OrgUnitId, PersonId, ServiceId } from '@bascule/domain/lib/ids.ts'
import type { ColumnType, Generated, Selectable } from 'kysely'

type Json<T> = ColumnType<T, string | undefined, string>

export const ciClasses = ['service', 'software', 'device'] as const
export type CiClass = (typeof ciClasses)[number]
export type CiChange = 'installed' | 'updated' | 'confirmed' | 'removed' | 'added' | 'changed' | 'retired'
export type CiRelationKind = 'runs' | 'depends-on'

export interface CiTable {
  id: ConfigurationItemId
  class: CiClass
  key: string
  name: string
  attributes: Json<Record<string, unknown>>
  state: Generated<'in-use' | 'retired'>
  device_id: number | null
  since_at: Temporal.Instant
}

export interface CiRelationTable {
  from_id: ConfigurationItemId
  kind: CiRelationKind
  slot: Generated<string>
  to_id: ConfigurationItemId
  attributes: Json<Record<string, unknown>>
  since_at: Temporal.Instant
}

export interface CiHistoryTable {
  id: Generated<number>
  at: Temporal.Instant
  ci_id: ConfigurationItemId
  change: CiChange
  slot: Generated<string>
  before: ColumnType<Record<string, unknown> | null, string | null, never>
  after: ColumnType<Record<string, unknown> | null, string | null, never>
  release_id: string | null
  source: string
}

export interface BaselineTable {
  id: BaselineId
  label: string
  at: Temporal.Instant
  scope: string
  device_ids: number[] | null
  release_id: string | null
  devices: number
  entries: number
  sha256: string
  content: string
  made_by: string
}

export interface DriftTable {
  device_id: number
  package: string
  kind: Drift['kind']
  expected: string | null
  found: string | null
  since_at: Temporal.Instant
}

export interface ServiceTable {
  id: ServiceId
  code: string
  name: string
  purpose: string
  criticality: 'low' | 'medium' | 'high' | 'critical'
  owner_person_id: PersonId | null
  org_unit_id: OrgUnitId | null
  time_zone: string
  uses: Generated<string[]>
  hours: Json<{ days: number[]; from: string; until: string }[]>
  version: Generated<number>
  created_at: Temporal.Instant
  retired_at: Temporal.Instant | null
}

declare module '#/platform/db/database.ts' {
  interface Database {
    ci: CiTable
    ci_relation: CiRelationTable
    ci_history: CiHistoryTable
    baseline: BaselineTable
    drift: DriftTable
    service: ServiceTable
  }
}

export type ServiceRecord = Selectable<ServiceTable>
