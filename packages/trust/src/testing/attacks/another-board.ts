import { signDocument } from '#/envelope.ts'
import { freshMemory } from '#/client/memory.ts'
import { type Attack, attack, ordered } from '#/testing/attack.ts'
import { type Scenario, installedOf } from '#/testing/scenario.ts'
import { type World, aRelease, now, opsQuorums, otherMembers, publicOf, publishInto, second } from '#/testing/world.ts'
import { buildBoard, buildReleases } from '#/tuf/build.ts'

export function anotherBoard(): Attack[] {
  return [
    attack('another board decides about a line that this device has', 'BOARD', 'line-belongs-to-one-board', (w) => {
      return ofAnotherBoard(w, 'normal')
    }),
    attack('another board does so, and the device has lost its memory', 'BOARD', 'line-belongs-to-one-board', (w) => {
      const installed = { ...installedOf(second), board: 'retail' }
      return ofAnotherBoard(w, 'normal', { installed, memory: freshMemory(now) })
    }),
    attack('another board does so as an emergency', 'BOARD', 'line-belongs-to-one-board', (w) => {
      return ofAnotherBoard(w, 'emergency')
    }),
  ]
}

/** The custodians' files let the board `ops` have a line of the same name, and its quorum signs a release for it. */
export function ofAnotherBoard(world: World, kind: 'normal' | 'emergency', over: Partial<Scenario> = {}): Scenario {
  const release = aRelease({ board: 'ops', counter: 3, kind })
  const issue = { version: 1, at: now }
  const quorum = { publicKeys: publicOf(otherMembers), threshold: 2 }
  const quorums = { ...opsQuorums(), 'ops.pos': quorum, 'ops.emergency': quorum }
  const board = buildBoard({ version: 2, at: now }, quorums)
  const listed = { [release.path]: release.target }
  const signed = publishInto(world, {
    ops: signDocument(board, otherMembers),
    'ops.pos': signDocument(buildReleases('line', issue, kind === 'normal' ? listed : {}), otherMembers),
    'ops.emergency': signDocument(buildReleases('emergency', issue, kind === 'normal' ? {} : listed), otherMembers),
  })
  const memory = { ...freshMemory(now), installed: { 'retail/pos': { counter: 2, release: 'REL-0002' } } }
  const lines = [{ board: 'ops', line: 'pos' }]
  return ordered(signed, release, { installed: installedOf(second), memory, lines, ...over })
}
