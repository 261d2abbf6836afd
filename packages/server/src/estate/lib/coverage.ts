import type { Coverage } from '@bascule/domain/estate/role.ts'
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'

/**
 * The SQL of "this row lies where the actor may act": `orgUnit` and `site` are the columns with its org unit and site.
 * The same rule as `isWithin` of the domain, for lists that are filtered and paged in the database.
 */
export function isCovered(coverage: Coverage, columns: { orgUnit: string; site: string }): RawBuilder<boolean> {
  if (coverage === 'everywhere') return sql<boolean>`true`
  const limits = coverage.map(({ orgUnit, site }) => {
    const inUnit = orgUnit === undefined ? sql`true` : isBelow(columns.orgUnit, orgUnit)
    const atSite = site === undefined ? sql`true` : sql`${sql.ref(columns.site)} = ${site}::uuid`
    return sql`(${inUnit} and ${atSite})`
  })
  return limits.length === 0 ? sql<boolean>`false` : sql<boolean>`(${sql.join(limits, sql` or `)})`
}

/** The SQL of "this column holds the given org unit or one below it". */
export function isBelow(column: string, orgUnitId: string): RawBuilder<boolean> {
  return sql<boolean>`exists (select 1 from org_unit above
    where above.id = ${sql.ref(column)} and above.path @> array[${orgUnitId}]::uuid[])`
}
