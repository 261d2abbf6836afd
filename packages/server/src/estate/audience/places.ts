import type { OrgUnitId, SiteId } from '@bascule/domain/lib/ids.ts'
import type { Db } from '#/platform/db/database.ts'
import '../org-unit/org-unit.store.ts'
import '../site/site.store.ts'

/** Sites and org units with the words that a query may call them by. There are few of them, so they are read whole. */
export interface Places {
  readonly sites: readonly Site[]
  readonly orgUnits: readonly OrgUnit[]
  /** Fleet indexes of devices that are silent now, for lists that people look at; an audience does not ask. */
  readonly silentIds?: () => readonly number[]
}

interface Site {
  readonly id: SiteId
  readonly code: string
  readonly name: string
  readonly country: string | null
  readonly region: string | null
}

interface OrgUnit {
  readonly id: OrgUnitId
  readonly code: string
  readonly name: string
  readonly path: readonly OrgUnitId[]
}

export async function loadPlaces(db: Db): Promise<Places> {
  const sites = await db.selectFrom('site').select(['id', 'code', 'name', 'country', 'region']).execute()
  const orgUnits = await db.selectFrom('org_unit').select(['id', 'code', 'name', 'path']).execute()
  return { sites, orgUnits }
}

/** The sites for which one of their words passes. */
export function sitesWhere(places: Places, passes: (word: string) => boolean): SiteId[] {
  return places.sites.filter(({ code, name }) => passes(code) || passes(name)).map((site) => site.id)
}

/** The sites in a country or region for which the word passes: where a device is, as far as its site tells. */
export function sitesIn(places: Places, area: 'country' | 'region', passes: (word: string) => boolean): SiteId[] {
  return places.sites.filter((site) => site[area] !== null && passes(site[area])).map((site) => site.id)
}

/** The org units for which one of their words passes, and all below them. */
export function orgUnitsWhere(places: Places, passes: (word: string) => boolean): OrgUnitId[] {
  const named = new Set(places.orgUnits.filter(({ code, name }) => passes(code) || passes(name)).map((unit) => unit.id))
  return places.orgUnits.filter((unit) => unit.path.some((id) => named.has(id))).map((unit) => unit.id)
}
