import type { Facts } from '@bascule/contract/device/protocol.ts'
import { indexFacts } from '@bascule/domain/estate/query/index-facts.ts'
import type { Db } from '#/platform/db/database.ts'
import { judgeDrift } from '../configuration/drift.service.ts'
import './device.tables.ts'

export interface ReportedFacts {
  readonly deviceId: number
  readonly facts: Facts
  readonly factsHash: string
  readonly agentVersion: string
  readonly at: Temporal.Instant
}

/** The facts of a device as they are stored: the version of the agent is one of them, and the server says it. */
export function storedFacts(facts: Facts, agentVersion: string) {
  const indexed = indexFacts({ ...facts, 'agent.version': agentVersion })
  return {
    agent_version: agentVersion,
    facts: JSON.stringify(indexed.facts),
    terms: [...indexed.terms],
    order_keys: JSON.stringify(indexed.orderKeys),
  }
}

/**
 * Stores what a device reports about itself and judges drift, once per change: the same facts again touch no row,
 * because this row carries many indexes.
 */
export async function updateFacts(
  db: Db,
  { deviceId, facts, factsHash, agentVersion, at }: ReportedFacts,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const changed = await tx
      .updateTable('device')
      .set({ ...storedFacts(facts, agentVersion), facts_hash: factsHash, facts_at: at })
      .where('id', '=', deviceId)
      .where((eb) => eb.or([eb('facts_hash', '<>', factsHash), eb('agent_version', '<>', agentVersion)]))
      .returning('id')
      .executeTakeFirst()
    if (changed) await judgeDrift(tx, [deviceId], at)
  })
}
