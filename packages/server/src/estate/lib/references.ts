import type { InputProblem } from '@bascule/contract/lib/errors.ts'
import type { OrgUnitId, PersonId, SiteId } from '@bascule/domain/lib/ids.ts'
import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import '../org-unit/org-unit.store.ts'
import '../person/person.tables.ts'
import '../site/site.store.ts'

type Referable = 'org_unit' | 'site' | 'person'

/** The ids among these that nothing in force has, as problems of their fields. */
export async function unknownReferences(
  db: Db,
  references: readonly { table: Referable; field: string; id: string | null | undefined }[],
): Promise<InputProblem[]> {
  const problems: InputProblem[] = []
  for (const { table, field, id } of references) {
    if (id == null) continue
    const found = await sql`select 1 from ${sql.table(table)} where id = ${id}::uuid and retired_at is null`.execute(db)
    if (found.rows.length === 0) problems.push({ field, problem: `is no ${table.replace('_', ' ')} in force` })
  }
  return problems
}

export interface References {
  readonly orgUnits: ReadonlyMap<string, { id: OrgUnitId; path: readonly OrgUnitId[] }>
  readonly sites: ReadonlyMap<string, { id: SiteId }>
  readonly people: ReadonlyMap<string, { id: PersonId; orgUnitId: OrgUnitId | null; siteId: SiteId | null }>
}

/** All that files may refer to: org units and sites by code, people by e-mail address. */
export async function loadReferences(db: Db): Promise<References> {
  const units = await db.selectFrom('org_unit').select(['code', 'id', 'path']).where('retired_at', 'is', null).execute()
  const sites = await db.selectFrom('site').select(['code', 'id']).where('retired_at', 'is', null).execute()
  const people = await db
    .selectFrom('person')
    .select(['email', 'id', 'org_unit_id as orgUnitId', 'site_id as siteId'])
    .where('retired_at', 'is', null)
    .execute()
  return {
    orgUnits: new Map(units.map((unit) => [unit.code, unit])),
    sites: new Map(sites.map((site) => [site.code, site])),
    people: new Map(people.map((person) => [person.email, person])),
  }
}

/** What a cell refers to, or a problem in `problems`; undefined for an empty cell. */
export function resolve<Thing>(
  things: ReadonlyMap<string, Thing>,
  cell: { line: number; field: string; value: string | undefined; what: string },
  problems: InputProblem[],
): Thing | undefined {
  if (cell.value === undefined) return undefined
  const thing = things.get(cell.value.toLowerCase())
  if (thing === undefined) {
    problems.push({ line: cell.line, field: cell.field, problem: `${cell.value} is no ${cell.what} in force` })
  }
  return thing
}
