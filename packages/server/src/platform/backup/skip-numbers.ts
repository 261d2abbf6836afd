import type { Client } from 'pg'

/**
 * Numbers that devices keep and compare. What was given out after the backup is unknown here, and none of it may ever
 * be given to something else: a device would take the new thing for the old one, or refuse it as older.
 *
 * Generations and jobs go on at the clock, so that even a second restore of the same backup is above everything that
 * the first one gave out; the numbers that people read skip a thousand.
 */
const clockDriven = ['public.assignment_generation', 'public.job_id']
const skipping = ['public.release_number', 'public.rollout_id_seq', 'public.case_number']
const least = 1_000_000
const skippedNumbers = 1000
/** Milliseconds count from here, which leaves the signer's largest generation (2 ** 40) out of reach until 2060. */
const clockBegin = Temporal.Instant.from('2026-01-01T00:00:00Z')

/** Moves every such number ahead and lets every device get a new assignment, in the transaction that filled the database. */
export async function skipNumbers(client: Client, now: Temporal.Instant): Promise<void> {
  const clock = now.epochMilliseconds - clockBegin.epochMilliseconds
  for (const sequence of clockDriven) {
    await client.query('select setval(s, greatest(nextval(s) + $2, $3)) from to_regclass($1) s where s is not null', [
      sequence,
      least,
      clock,
    ])
  }
  for (const sequence of skipping) {
    await client.query('select setval(s, nextval(s) + $2) from to_regclass($1) s where s is not null', [
      sequence,
      skippedNumbers,
    ])
  }
  if (await hasTable(client, 'public.product_line')) {
    await client.query('update public.product_line set counter = counter + $1', [skippedNumbers])
  }
  if (await hasTable(client, 'public.assignment')) await renewAssignments(client)
}

/** A device may hold an assignment of which this database knows nothing; a newer one ends what was lost. */
async function renewAssignments(client: Client): Promise<void> {
  await client.query(`
    insert into public.assignment (device_id, generation, stale) select id, 0, true from public.device
    on conflict (device_id) do update set stale = true`)
}

async function hasTable(client: Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ known: boolean }>('select to_regclass($1) is not null as known', [name])
  return rows[0]?.known === true
}
