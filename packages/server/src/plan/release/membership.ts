import type { AudiencePreview, PhasePlan } from '@bascule/contract/plan/release.ts'
import { parseQuery, type Query } from '@bascule/domain/estate/query/parse-query.ts'
import { growAudienceTree } from '@bascule/trust/merkle.ts'
import type * as z from 'zod'
import { selectPlaced } from '#/estate/audience/audience.service.ts'
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
 * Places every active device of the audience in the first phase whose query matches it, in one question whatever the size
 * of the fleet and the number of phases; the sample in a query is stable, so the same plan places alike.
 */
export async function placeAudience(
  db: Db,
  audienceQuery: string,
  phases: readonly Pick<PhasePlan, 'query'>[],
): Promise<Membership> {
  const parts = phases.map((phase) => queryFrom(phase.query))
  const audience = await selectPlaced(db, queryFrom(audienceQuery), parts)
  const members = new Uint8Array(audience.length === 0 ? 0 : (audience.at(-1)?.id ?? 0) + 1)
  const keyIds: string[][] = phases.map(() => [])
  for (const { id, keyId, part } of audience) {
    members[id] = part
    keyIds[part - 1]?.push(keyId)
  }
  const placed = keyIds.map((own) => ({ devices: own.length, keyIds: own }))
  const inPhases = placed.reduce((sum, phase) => sum + phase.devices, 0)
  return { members, audience: audience.length, unplaced: audience.length - inPhases, phases: placed }
}

/** The Merkle root of a frozen phase; an empty phase has none. */
export async function audienceRootOf(keyIds: readonly string[]): Promise<string | null> {
  return keyIds.length === 0 ? null : (await growAudienceTree(keyIds)).root
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
