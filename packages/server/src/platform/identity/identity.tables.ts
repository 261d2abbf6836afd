import type { Role } from '@bascule/domain/estate/role.ts'
import type { ApiKeyId, OrgUnitId, PersonId, SiteId } from '@bascule/domain/lib/ids.ts'
import type { Generated } from 'kysely'

interface ApiKeyTable {
  id: ApiKeyId
  name: string
  start: string
  hash: Buffer
  role: Role
  org_unit_id: OrgUnitId | null
  site_id: SiteId | null
  made_by: string
  created_at: Temporal.Instant
  expires_at: Temporal.Instant
  revoked_at: Temporal.Instant | null
}

interface OneTimeCodeTable {
  hash: Buffer
  purpose: 'first-administrator' | 'sign-in'
  person_id: PersonId | null
  created_at: Temporal.Instant
  expires_at: Temporal.Instant
  used_at: Temporal.Instant | null
}

interface ServerMetaTable {
  only_one: Generated<boolean>
  epoch: Generated<string>
  environment: Generated<string>
  created_at: Generated<Temporal.Instant>
}

/** The columns of better-auth's tables that we write; it knows the others. */
interface AuthUserTable {
  id: PersonId
  name: string
  email: string
  emailVerified: boolean
  createdAt: Temporal.Instant
  updatedAt: Temporal.Instant
}

interface AuthAccountTable {
  id: Generated<string>
  accountId: string
  providerId: string
  userId: PersonId
  password: string | null
  createdAt: Temporal.Instant
  updatedAt: Temporal.Instant
}

declare module '#/platform/db/database.ts' {
  interface Database {
    api_key: ApiKeyTable
    one_time_code: OneTimeCodeTable
    server_meta: ServerMetaTable
    auth_user: AuthUserTable
    auth_account: AuthAccountTable
    auth_session: { id: Generated<string>; userId: PersonId }
  }
}
