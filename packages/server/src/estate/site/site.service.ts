import type { ImportResult } from '@bascule/contract/lib/csv.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import { SiteRow as SiteCsvRow } from '@bascule/contract/estate/site.ts'
import type { SiteChange, SiteFilter, SiteInput, SiteView } from '@bascule/contract/estate/site.ts'
import type { SiteId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import type { Fact } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { badInput, notFound, refused } from '#/platform/lib/answer.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { newId } from '#/platform/lib/id.ts'
import { pageFrom } from '#/platform/lib/keyset.ts'
import { inGroups, readCsv, repeatedKeys } from '../lib/csv.ts'
import { alreadyThere, changedMeanwhile, entityView, givenColumns } from '../lib/entity.ts'
import { countPeopleAt, findSite, findSites, findSitesByCode, insertSites, lockSite, updateSite } from './site.store.ts'
import type { SiteRow, SiteTable } from './site.store.ts'

export async function listSites(db: Db, filter: SiteFilter): Promise<Page<SiteView>> {
  const rows = await findSites(db, filter)
  return pageFrom(rows, filter.limit, (row) => ({ key: row.name.toLowerCase(), id: row.id }), viewOf)
}

export async function getSite(db: Db, id: SiteId): Promise<Answer<SiteView>> {
  const row = await findSite(db, id)
  return row === undefined ? notFound('site') : ok(viewOf(row))
}

export async function createSite(call: Call, input: SiteInput): Promise<Answer<SiteView>> {
  const allowed = allow(call.actor, 'site.write', {})
  if (!allowed.ok) return allowed
  return await call.db.transaction().execute(async (tx) => {
    if ((await findSitesByCode(tx, [input.code])).size > 0) return refused(alreadyThere('a site', 'code', input.code))
    const [row] = await insertSites(tx, [rowFrom(call, input)])
    if (row === undefined) return notFound('site')
    await record(tx, factOf(call, 'site.created', undefined, row))
    return ok(viewOf(row))
  })
}

export async function changeSite(call: Call, { siteId, version, ...input }: SiteChange): Promise<Answer<SiteView>> {
  return await changeLocked(call, siteId, version, 'site.changed', async (tx, row) => {
    const taken = input.code === undefined ? undefined : (await findSitesByCode(tx, [input.code])).get(input.code)
    if (taken !== undefined && taken.id !== row.id) return refused(alreadyThere('a site', 'code', taken.code))
    return ok(columnsOf(input))
  })
}

/** A site is retired when nobody works there any more; what refers to it keeps its name. */
export async function retireSite(call: Call, siteId: SiteId): Promise<Answer<SiteView>> {
  return await changeLocked(call, siteId, undefined, 'site.retired', async (tx) => {
    const people = await countPeopleAt(tx, siteId)
    if (people === 0) return ok({ retired_at: call.now })
    return refused({
      rule: 'site-in-use',
      fact: `${people} people work at this site.`,
      lifter: 'who changes people',
      next: 'Give these people another site first.',
    })
  })
}

/** Adds or changes the sites of a file by their codes: all rows or none. */
export async function importSites(call: Call, csv: string): Promise<Answer<ImportResult>> {
  const allowed = allow(call.actor, 'site.write', {})
  if (!allowed.ok) return allowed
  const read = readCsv(csv, SiteCsvRow, Object.keys(SiteCsvRow.shape))
  if (!read.ok) return read
  const repeated = repeatedKeys(read.value, 'code')
  if (repeated.length > 0) return badInput(...repeated)
  return await call.db.transaction().execute(async (tx) =>
    ok(
      await writeSites(
        tx,
        call,
        read.value.map(({ row }) => row),
      ),
    ),
  )
}

async function writeSites(tx: Db, call: Call, rows: readonly SiteCsvRow[]): Promise<ImportResult> {
  const known = await findSitesByCode(
    tx,
    rows.map((row) => row.code),
  )
  const wanted = rows.map((row) => ({
    ...row,
    timeZone: row.time_zone,
    country: row.country ?? null,
    region: row.region ?? null,
  }))
  const facts: Fact[] = []
  let unchanged = 0
  for (const input of wanted) {
    const before = known.get(input.code)
    if (before === undefined) continue
    const same =
      before.name === input.name &&
      before.time_zone === input.timeZone &&
      before.country === input.country &&
      before.region === input.region
    if (same) unchanged += 1
    else facts.push(factOf(call, 'site.changed', before, await updateSite(tx, before.id, columnsOf(input))))
  }
  const fresh = wanted.filter((input) => !known.has(input.code)).map((input) => rowFrom(call, input))
  for (const group of inGroups(fresh)) {
    const created = await insertSites(tx, group)
    facts.push(...created.map((row) => factOf(call, 'site.created', undefined, row)))
  }
  for (const group of inGroups(facts)) await record(tx, ...group)
  return { created: fresh.length, updated: facts.length - fresh.length, unchanged }
}

async function changeLocked(
  call: Call,
  siteId: SiteId,
  version: number | undefined,
  did: string,
  decide: (tx: Db, row: SiteRow) => Promise<Answer<Partial<SiteTable>>>,
): Promise<Answer<SiteView>> {
  const allowed = allow(call.actor, 'site.write', { site: siteId })
  if (!allowed.ok) return allowed
  return await call.db.transaction().execute(async (tx) => {
    const before = await lockSite(tx, siteId)
    if (before === undefined) return notFound('site')
    const refusal = changedMeanwhile(version, before)
    if (refusal) return refused(refusal)
    const change = await decide(tx, before)
    if (!change.ok) return change
    const after = await updateSite(tx, siteId, change.value as object)
    await record(tx, factOf(call, did, before, after))
    return ok(viewOf(after))
  })
}

type SiteColumns = Pick<SiteRow, 'code' | 'name' | 'time_zone' | 'country' | 'region'>

type SiteValues = Omit<SiteChange, 'siteId' | 'version'>

function columnsOf(input: SiteValues) {
  return givenColumns<SiteValues, SiteColumns>(input, {
    code: 'code',
    name: 'name',
    time_zone: 'timeZone',
    country: 'country',
    region: 'region',
  })
}

function rowFrom(call: Call, input: SiteInput) {
  const { code, name, timeZone, country = null, region = null } = input
  return { id: newId<SiteId>(), code, name, time_zone: timeZone, country, region, created_at: call.now }
}

function factOf(call: Call, did: string, before: SiteRow | undefined, after: SiteRow): Fact {
  const subject = { kind: 'site', id: after.id }
  return { actor: call.actor, at: call.now, did, subject, before: before && viewOf(before), after: viewOf(after) }
}

function viewOf(row: SiteRow): SiteView {
  const { id, code, name, country, region } = row
  return { id, code, name, timeZone: row.time_zone, country, region, ...entityView(row) }
}
