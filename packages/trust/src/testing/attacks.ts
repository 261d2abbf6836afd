import type { Attack } from './attack.ts'
import { anotherBoard } from './attacks/another-board.ts'
import { backOuts } from './attacks/back-outs.ts'
import { directorAttacks } from './attacks/director.ts'
import { freezeAndFlood } from './attacks/freeze-and-flood.ts'
import { widerOrEarlier } from './attacks/limits.ts'
import { rollback } from './attacks/rollback.ts'
import { rootAttacks } from './attacks/root.ts'
import { arbitrarySoftware } from './attacks/software.ts'
import { stopsAndEmergencies } from './attacks/stops-and-emergencies.ts'
import { weakKeys } from './attacks/weak-keys.ts'

/** The attack table: every way that is known, by subject. */
export const attacks: readonly Attack[] = [
  ...arbitrarySoftware(),
  ...anotherBoard(),
  ...rollback(),
  ...freezeAndFlood(),
  ...weakKeys(),
  ...rootAttacks(),
  ...directorAttacks(),
  ...widerOrEarlier(),
  ...stopsAndEmergencies(),
  ...backOuts(),
]
