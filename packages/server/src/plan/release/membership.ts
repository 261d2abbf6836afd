import type { AudiencePreview, PhasePlan } from '@bascule/contract/plan/release.ts'
import { parseQuery, type Query } from '@bascule/domain/estate/query/parse-query.ts'
import { buildAudienceTree } from '@bascule/trust/merkle.ts'
import type * as z from 'zod'
import { selectDevices } from '#/estate/audience/audience.service.ts'
import type { Db } from '#/platform/db/database.ts'

/** Who belongs to which phase: one byte per fleet index, 0 for devices outside. At most 250 phases. */
export interface Membership {
  readonly members: Uint8Array
  readonly audience: number
  readonly unplaced: number
  /** By phase, in order. */
  readonly phases: readonly { readonly devices: number; readonly keyIds: readonly string[] }[]
}

/**
 * Places every active device of the audience in the first phase whose query matches it. One query for the audience and
 * one per phase, whatever the size of the fleet; the sample in a query is stable, so the same plan places alike.
 */
export async function placeAudience(
  db: Db,
  audienceQuery: string,
  phases: readonly Pick<PhasePlan, 'query'>[],
): Promise<Membership> {
  const audience = await selectDevices(db, queryFrom(audienceQuery))
  const keyIds = new Map(audience.map((device) => [device.id, device.keyId]))
  const largest = audience.reduce((most, device) => Math.max(most, device.id), 0)
  const members = new Uint8Array(audience.length === 0 ? 0 : largest + 1)
  const placed: { devices: number; keyIds: string[] }[] = []
  for (const [at, phase] of phases.entries()) {
    const query: Query = { kind: 'and', of: [queryFrom(audienceQuery), queryFrom(phase.query)] }
    const own: string[] = []
    for (const { id, keyId } of phase.query.trim() === '' ? audience : await selectDevices(db, query)) {
      if (!keyIds.has(id) || members[id] !== 0) continue
      members[id] = at + 1
      own.push(keyId)
    }
    placed.push({ devices: own.length, keyIds: own })
  }
  const inPhases = placed.reduce((sum, phase) => sum + phase.devices, 0)
  return { members, audience: audience.length, unplaced: audience.length - inPhases, phases: placed }
}

/** The Merkle root of a frozen phase; an empty phase has none. */
export function audienceRootOf(keyIds: readonly string[]): string | null {
  return keyIds.length === 0 ? null : buildAudienceTree(keyIds).root
}

export function previewFrom(
  membership: Membership,
  phases: readonly Pick<PhasePlan, 'name'>[],
): z.infer<typeof AudiencePreview> {
  return {
    audience: membership.audience,
    unplaced: membership.unplaced,
    phases: phases.map((phase, at) => ({
      order: at + 1,
      name: phase.name,
      devices: membership.phases[at]?.devices ?? 0,
    })),
  }
}

/** Queries were checked when the plan was written; one that does not parse now is a mistake of ours. */
function queryFrom(text: string): Query {
  const parsed = parseQuery(text)
  if (!parsed.ok) throw new Error(`The stored query "${text}" is not one: ${parsed.error.message}`)
  return parsed.value
}
