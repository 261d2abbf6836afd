import type { WrappedKey } from '@bascule/contract/decide/member-key.ts'
import type { PersonId } from '@bascule/domain/lib/ids.ts'
import type { ColumnType } from 'kysely'

export interface MemberKeyTable {
  key_id: string
  public_key: string
  level: number
  label: string
  person_id: PersonId | null
  wrapped: ColumnType<WrappedKey | null, string | null, string | null>
  created_at: ColumnType<Temporal.Instant, string, string>
  retired_at: ColumnType<Temporal.Instant | null, string | null, string | null>
  retired_reason: string | null
}

declare module '#/platform/db/database.ts' {
  interface Database {
    member_key: MemberKeyTable
  }
}
