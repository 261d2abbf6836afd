import type { PersonId, ReleaseId, SavedViewId } from '@bascule/domain/lib/ids.ts'
import type { Generated, Selectable } from 'kysely'

interface SavedViewTable {
  id: SavedViewId
  person_id: PersonId
  name: string
  query: string
  device_order: string
  work: string | null
  release_id: ReleaseId | null
  columns: string[]
  version: Generated<number>
  created_at: Temporal.Instant
}

declare module '#/platform/db/database.ts' {
  interface Database {
    saved_view: SavedViewTable
  }
}

export type SavedViewRecord = Selectable<SavedViewTable>
