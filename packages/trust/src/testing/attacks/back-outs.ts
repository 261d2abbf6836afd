import { backOutWorld, attack, ordered, type Attack } from '#/testing/attack.ts'
import { installedOf } from '#/testing/scenario.ts'
import { type World, aRelease, first, goFor, members, nextVersion, publishInto, second } from '#/testing/world.ts'
import type { RoleSigned } from '#/tuf/documents.ts'

export function backOuts(): Attack[] {
  const back = { action: 'back-out' as const }
  return [
    attack('a back-out that nobody signed', 'ROLLBACK', 'back-out-is-signed', (w) => {
      return ordered(w, second, { installed: installedOf(second), kept: installedOf(first) }, back)
    }),
    attack('a back-out to what the board does not list', 'BOARD', 'board-is-the-source', (w) => {
      return ordered(w, second, { installed: installedOf(second), kept: installedOf(aRelease({ counter: 7 })) }, back)
    }),
    attack('a back-out to nothing, which nobody signed', 'REMOVE', 'removal-is-signed', (w) => {
      return ordered(w, second, { installed: installedOf(second), kept: null }, back)
    }),
    attack('a back-out to nothing from a release that was withdrawn', 'BOARD', 'board-is-the-source', (w) => {
      const signed = removableWorld(w)
      const withdrawn = publishInto(signed, {
        'retail.pos': nextVersion<RoleSigned>(signed, 'retail.pos', (one) => ({ ...one, targets: {} }), members),
      })
      return ordered(withdrawn, removable, { installed: installedOf(removable), kept: null }, back)
    }),
    attack(
      'a back-out to nothing in the name of a release that may go',
      'MISMATCH',
      'removal-names-what-is-here',
      (w) => {
        return ordered(removableWorld(w), removable, { installed: installedOf(second), kept: null }, back)
      },
    ),
    attack('a removal in the name of another release that may go', 'MISMATCH', 'removal-names-what-is-here', (w) => {
      return ordered(removableWorld(w), removable, { installed: installedOf(second) }, { action: 'remove' })
    }),
    attack('a back-out from what is not installed', 'MISMATCH', 'director-and-board-agree', (w) => {
      return ordered(backOutWorld(w), first, { installed: installedOf(second), kept: installedOf(first) }, back)
    }),
    attack('a removal that nobody signed', 'REMOVE', 'removal-is-signed', (w) => {
      return ordered(w, second, { installed: installedOf(second) }, { action: 'remove' })
    }),
  ]
}

const removable = aRelease({ counter: 3 }, { mayRemove: true })

/** The board has signed a third release that may be removed. */
function removableWorld(world: World): World {
  return publishInto(world, { 'retail.pos': goFor(world, removable) })
}
