import type { DeviceState } from '@bascule/domain/estate/device/device-state.ts'
import type { FactValue } from '@bascule/domain/estate/query/query.ts'
import type { AudienceId, EnrolmentTokenId, OrgUnitId, PersonId, SiteId } from '@bascule/domain/lib/ids.ts'
import type { ColumnType, Generated, Selectable } from 'kysely'

export interface DeviceTable {
  /** The fleet index: the place of the device in every byte array. */
  id: Generated<number>
  key_id: string
  public_key: string
  name: string
  state: DeviceState
  state_since: Temporal.Instant
  site_id: SiteId | null
  org_unit_id: OrgUnitId | null
  owner_person_id: PersonId | null
  roles: Generated<string[]>
  tags: Generated<string[]>
  agent_version: string
  facts: ColumnType<Record<string, FactValue>, string | undefined, string>
  facts_hash: Generated<string>
  facts_at: Temporal.Instant | null
  terms: Generated<string[]>
  order_keys: ColumnType<Record<string, string>, string | undefined, string>
  enrolment_token_id: EnrolmentTokenId | null
  version: Generated<number>
  enrolled_at: Temporal.Instant
}

export interface DevicePresenceTable {
  device_id: number
  last_seen_at: Temporal.Instant
  seq: Generated<number>
  habit_seconds: Generated<number>
}

export interface EnrolmentTokenTable {
  id: EnrolmentTokenId
  label: string
  hash: Buffer
  site_id: SiteId | null
  org_unit_id: OrgUnitId | null
  roles: string[]
  auto_approve: boolean
  uses_max: number
  uses: Generated<number>
  from_network: string | null
  made_by: string
  created_at: Temporal.Instant
  expires_at: Temporal.Instant
  revoked_at: Temporal.Instant | null
}

export interface AudienceTable {
  id: AudienceId
  name: string
  query: string
  made_by: string
  version: Generated<number>
  created_at: Temporal.Instant
  retired_at: Temporal.Instant | null
}

declare module '#/platform/db/database.ts' {
  interface Database {
    device: DeviceTable
    device_presence: DevicePresenceTable
    enrolment_token: EnrolmentTokenTable
    audience: AudienceTable
  }
}

export type DeviceRecord = Selectable<DeviceTable>
export type EnrolmentTokenRecord = Selectable<EnrolmentTokenTable>
export type AudienceRecord = Selectable<AudienceTable>
