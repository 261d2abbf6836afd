import type { Refusal } from '@bascule/domain/lib/result.ts'

/** What every thing of the estate has: a version that grows, when it came and when it was retired. */
interface EntityRow {
  readonly version: number
  readonly created_at: Temporal.Instant
  readonly retired_at: Temporal.Instant | null
}

export function entityView({ version, created_at, retired_at }: EntityRow) {
  return {
    state: retired_at === null ? ('active' as const) : ('retired' as const),
    version,
    createdAt: created_at.toString(),
    retiredAt: retired_at?.toString() ?? null,
  }
}

/** Why a change cannot be made on what the caller saw; undefined when it can. */
export function changedMeanwhile(seen: number | undefined, row: EntityRow): Refusal | undefined {
  if (row.retired_at !== null) return retiredAlready
  if (seen === undefined || seen === row.version) return undefined
  return {
    rule: 'changed-meanwhile',
    fact: `Somebody changed this since you looked: it is at version ${row.version}, you saw ${seen}.`,
    lifter: 'you',
    next: 'Look at it again and repeat your change if it is still right.',
  }
}

const retiredAlready: Refusal = {
  rule: 'retired',
  fact: 'This was retired and does not change any more.',
  lifter: 'nobody',
  next: 'Add a new one.',
}

/** The rule that two things in force never share their key. */
export function alreadyThere(what: string, key: string, value: string): Refusal {
  return {
    rule: 'already-there',
    fact: `There is already ${what} with the ${key} ${value}.`,
    lifter: 'who owns the other one',
    next: `Change that one, retire it, or choose another ${key}.`,
  }
}

/** The members that the caller gave, under the names of their columns; what was left out stays as it is. */
export function givenColumns<Input extends object, Columns extends object>(
  input: Input,
  columnOf: { readonly [Name in keyof Columns]: keyof Input },
): Partial<Columns> {
  const given = Object.entries<keyof Input>(columnOf as Record<string, keyof Input>).flatMap(([column, name]) =>
    input[name] === undefined ? [] : [[column, input[name]]],
  )
  return Object.fromEntries(given) as Partial<Columns>
}
