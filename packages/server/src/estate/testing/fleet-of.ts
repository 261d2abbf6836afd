import { createHash } from 'node:crypto'
import type { DeviceState } from '@bascule/domain/estate/device/device-state.ts'
import { indexFacts } from '@bascule/domain/estate/query/index-facts.ts'
import type { FactValue } from '@bascule/domain/estate/query/query.ts'
import type { OrgUnitId, SiteId } from '@bascule/domain/lib/ids.ts'
import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import '../device/device.tables.ts'
import '../org-unit/org-unit.store.ts'
import '../site/site.store.ts'

/** A device as a test describes it; what it leaves out is ordinary. */
export interface DeviceSeed {
  readonly name: string
  readonly site?: string | undefined
  readonly orgUnit?: string | undefined
  readonly roles: readonly string[]
  readonly tags: readonly string[]
  readonly facts: Readonly<Record<string, FactValue>>
  readonly state?: DeviceState
}

export interface AddedDevice {
  readonly id: number
  readonly keyId: string
  readonly seed: DeviceSeed
}

const createdAt = Temporal.Instant.from('2026-11-01T00:00:00Z')

function idOf(code: string): string {
  return `00000000-0000-4000-8000-${createHash('sha256').update(code).digest('hex').slice(0, 12)}`
}

export const siteIdOf = (code: string): SiteId => idOf(`site ${code}`) as SiteId
export const orgUnitIdOf = (code: string): OrgUnitId => idOf(`unit ${code}`) as OrgUnitId

/** Two sites, and the units sales > inside-sales, and finance. */
export async function addPlaces(db: Db): Promise<void> {
  const sites = [
    { code: 'leeds', name: 'Leeds Harbour', country: 'GB', region: 'Yorkshire' },
    { code: 'york', name: 'York', country: null, region: null },
  ]
  await db
    .insertInto('site')
    .values(
      sites.map((site) => ({
        ...site,
        id: siteIdOf(site.code),
        time_zone: 'Europe/London',
        created_at: createdAt,
        retired_at: null,
      })),
    )
    .execute()
  const units = [
    { code: 'sales', name: 'Sales', path: ['sales'] },
    { code: 'inside-sales', name: 'Inside Sales', path: ['sales', 'inside-sales'] },
    { code: 'finance', name: 'Finance', path: ['finance'] },
  ]
  for (const { code, name, path } of units) {
    const above = path.at(-2)
    const parent_id = above === undefined ? null : orgUnitIdOf(above)
    await db
      .insertInto('org_unit')
      .values({
        id: orgUnitIdOf(code),
        code,
        name,
        parent_id,
        path: path.map(orgUnitIdOf),
        created_at: createdAt,
        retired_at: null,
      })
      .execute()
  }
}

/** Devices with keys that nobody holds, active unless the seed says otherwise. */
export async function addDevices(db: Db, seeds: readonly DeviceSeed[]): Promise<AddedDevice[]> {
  const added: AddedDevice[] = []
  for (const [at, seed] of seeds.entries()) {
    const keyId = createHash('sha256').update(`device ${seed.name} ${at}`).digest('hex')
    const { facts, terms, orderKeys } = indexFacts(seed.facts)
    const { id } = await db
      .insertInto('device')
      .values({
        key_id: keyId,
        public_key: keyId,
        name: seed.name,
        state: seed.state ?? 'active',
        state_since: createdAt,
        site_id: seed.site === undefined ? null : siteIdOf(seed.site),
        org_unit_id: seed.orgUnit === undefined ? null : orgUnitIdOf(seed.orgUnit),
        owner_person_id: null,
        roles: [...seed.roles],
        tags: [...seed.tags],
        agent_version: '1.0.0',
        facts: JSON.stringify(facts),
        terms: [...terms],
        order_keys: JSON.stringify(orderKeys),
        facts_at: createdAt,
        enrolment_token_id: null,
        enrolled_at: createdAt,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    await db.insertInto('device_presence').values({ device_id: id, last_seen_at: createdAt }).execute()
    added.push({ id, keyId, seed })
  }
  return added
}

const kinds = [
  {
    os: 'linux',
    'os.version': '12.10',
    'agent.version': '1.0.0',
    'disk.free.bytes': 20_000_000_000,
    'package.salesdesk': '11.4.0',
  },
  {
    os: 'linux',
    'os.version': '13',
    'agent.version': '1.1.0',
    'disk.free.bytes': 900_000_000,
    'package.salesdesk': '12.0.0',
  },
  { os: 'windows', 'os.version': '10.0.22631', 'agent.version': '1.0.0', 'disk.free.bytes': 50_000_000_000 },
  { os: 'darwin', 'os.version': '26.1', 'agent.version': '0.9.0', 'disk.free.bytes': 150_000_000_000 },
]

/** A large fleet `GEN-0000001…` made inside PostgreSQL: four kinds of device, most of them in Leeds. Statistics are fresh after it. */
export async function generateFleet(db: Db, count: number): Promise<void> {
  const indexed = kinds.map((facts) => indexFacts(facts))
  await sql`
    insert into device (key_id, public_key, name, state, state_since, site_id, org_unit_id, roles, agent_version, facts, terms, order_keys, enrolled_at)
    select encode(sha256(convert_to('gen ' || n, 'UTF8')), 'hex'), encode(sha256(convert_to('key ' || n, 'UTF8')), 'hex'),
      'GEN-' || lpad(n::text, 7, '0'), case when n % 500 = 0 then 'suspended' else 'active' end, ${createdAt},
      case when n % 50 = 0 then ${siteIdOf('york')}::uuid else ${siteIdOf('leeds')}::uuid end,
      case when n % 40 = 0 then ${orgUnitIdOf('finance')}::uuid else ${orgUnitIdOf('sales')}::uuid end,
      case when n % 2 = 0 then '{till}'::text[] else '{office}'::text[] end, '1.0.0',
      k.facts, array(select jsonb_array_elements_text(k.terms)), k.orders, ${createdAt}
    from generate_series(1, ${count}::int) n
    join unnest(${indexed.map((one) => JSON.stringify(one.facts))}::jsonb[], ${indexed.map((one) => JSON.stringify(one.terms))}::jsonb[],
      ${indexed.map((one) => JSON.stringify(one.orderKeys))}::jsonb[]) with ordinality k (facts, terms, orders, at) on k.at = n % ${indexed.length}::int + 1`.execute(
    db,
  )
  await sql`insert into device_presence (device_id, last_seen_at)
    select id, ${createdAt}::timestamptz + id * interval '1 second' from device on conflict do nothing`.execute(db)
  await sql`vacuum analyze device`.execute(db)
  await sql`vacuum analyze device_presence`.execute(db)
}
