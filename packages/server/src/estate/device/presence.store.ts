import { once } from 'node:events'
import type { DeviceState } from '@bascule/domain/estate/device/device-state.ts'
import { sql } from 'kysely'
import { Client, type ClientConfig, Query } from 'pg'
import type { Db } from '#/platform/db/database.ts'
import type { FleetRow, Presence } from './fleet-memory.ts'

/** Instants as milliseconds: a hundred thousand Temporal objects would be made only to be thrown away. */
const fleetColumns = `select d.id, d.key_id, d.public_key, d.state, d.facts_hash,
  (extract(epoch from coalesce(p.last_seen_at, d.enrolled_at)) * 1000)::float8, coalesce(p.seq, 0)::float8, coalesce(p.habit_seconds, 0)
  from device d left join device_presence p on p.device_id = d.id`

type Columns = [number, string, string, DeviceState, string, number, number, number]

/** Reads the whole fleet in one statement, row by row as it comes over the wire, on a connection of its own. */
export async function readFleet(connection: ClientConfig, take: (row: FleetRow) => void): Promise<void> {
  const client = new Client({ ...connection, application_name: 'bascule-fleet' })
  // The statement under way hears of a lost connection; without a listener the process would end.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const query = client.query(new Query<Columns>({ text: fleetColumns, rowMode: 'array' } as never))
    query.on('row', (row) => take(rowFrom(row)))
    await once(query, 'end')
  } catch (cause) {
    throw new Error('Reading the fleet into memory failed', { cause })
  } finally {
    await client.end()
  }
}

export async function readDevices(db: Db, keyIds: readonly string[]): Promise<FleetRow[]> {
  const { rows } = await sql<Record<string, unknown>>`
    select d.id, d.key_id, d.public_key, d.state, d.facts_hash,
      (extract(epoch from coalesce(p.last_seen_at, d.enrolled_at)) * 1000)::float8 as seen, coalesce(p.seq, 0)::float8 as seq,
      coalesce(p.habit_seconds, 0) as habit
    from device d left join device_presence p on p.device_id = d.id where d.key_id = any(${keyIds}::text[])`.execute(db)
  return rows.map((row) => rowFrom(Object.values(row) as Columns))
}

function rowFrom([id, keyId, publicKey, state, factsHash, lastSeenMs, seq, habitSeconds]: Columns): FleetRow {
  return { id, keyId, publicKey, state, factsHash, lastSeenMs, seq, habitSeconds }
}

/** Writes what is newer than the table has. Sorted by id, so that two servers never wait for each other in a circle. */
export async function writePresence(db: Db, { ids, lastSeenMs, seqs, habits }: Presence): Promise<void> {
  await sql`
    update device_presence p
    set last_seen_at = greatest(p.last_seen_at, to_timestamp(n.seen / 1000)), seq = greatest(p.seq, n.seq), habit_seconds = n.habit
    from unnest(${ids}::int[], ${lastSeenMs}::float8[], ${seqs}::float8[], ${habits}::real[]) as n (id, seen, seq, habit)
    where p.device_id = n.id`.execute(db)
}
