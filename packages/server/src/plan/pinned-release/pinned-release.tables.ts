import type { PersonId } from '@bascule/domain/lib/ids.ts'

interface PinnedReleaseTable {
  person_id: PersonId
  release_id: string
  pinned_at: Temporal.Instant
}

declare module '#/platform/db/database.ts' {
  interface Database {
    pinned_release: PinnedReleaseTable
  }
}
