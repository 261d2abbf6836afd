import { randomUUIDv7 } from 'node:crypto'

/**
 * A new id. It grows with time, so that new rows lie side by side in their index. The type argument says whose id it
 * becomes: `newId<PersonId>()`.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- whoever creates a thing names its kind once, here
export function newId<Id extends string>(): Id {
  return randomUUIDv7() as Id
}
