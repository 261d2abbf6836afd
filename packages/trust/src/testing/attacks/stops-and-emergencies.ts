import { stopping, attack, ordered, served, delegating, type Attack, third } from '#/testing/attack.ts'
import { honestScenario } from '#/testing/scenario.ts'
import {
  aRelease,
  aStop,
  emergencyMembers,
  forgeInto,
  members,
  nextVersion,
  outsider,
  second,
  withTarget,
} from '#/testing/world.ts'
import type { RoleSigned } from '#/tuf/documents.ts'

export function stopsAndEmergencies(): Attack[] {
  return [
    attack('a release that one member has stopped', 'WITHDRAWN', 'stop-list-is-silent', (w) => {
      return served(w, 'retail.stop', stopping(w, second))
    }),
    attack('a stopped release under a new name', 'WITHDRAWN', 'stop-list-is-silent', (w) => {
      const [, target] = aStop(second)
      const path = 'retail/pos/stop/REL-0099.json'
      const change = (signed: RoleSigned) =>
        withTarget(signed, path, { ...target, custom: { ...target.custom, release: 'REL-0099' } })
      return served(w, 'retail.stop', nextVersion<RoleSigned>(w, 'retail.stop', change, members))
    }),
    attack('the stop list is withheld', 'STOPLIST', 'stop-list-is-readable', (w) => {
      const files = new Map(w.files)
      files.delete('1.retail.stop.json')
      return honestScenario(w, { sources: [files] })
    }),
    attack('the stop list is one that nobody signed', 'STOPLIST', 'stop-list-is-readable', (w) => {
      const forged = nextVersion<RoleSigned>(w, 'retail.stop', (signed) => signed, [outsider])
      return served(w, 'retail.stop', forged)
    }),
    attack('the board has no stop role', 'STOPLIST', 'stop-list-is-readable', (w) => {
      const board = delegating(w, (keys, roles) => [keys, roles.filter(({ name }) => name !== 'retail.stop')])
      return served(w, 'retail', board)
    }),
    attack('the stop role ships software', 'BOARD', 'board-is-the-source', (w) => {
      const change = (signed: RoleSigned) => withTarget(signed, third.path, third.target)
      const forged = nextVersion<RoleSigned>(w, 'retail.stop', change, members)
      return ordered(w, third, { sources: [forgeInto(w, { 'retail.stop': forged })] })
    }),
    attack('the emergency role lists a normal path', 'BOARD', 'board-is-the-source', (w) => {
      const change = (signed: RoleSigned) => withTarget(signed, third.path, third.target)
      const forged = nextVersion<RoleSigned>(w, 'retail.emergency', change, emergencyMembers)
      return ordered(w, third, { sources: [forgeInto(w, { 'retail.emergency': forged })] })
    }),
    attack('the board is asked on the emergency path', 'BOARD', 'board-is-the-source', (w) => {
      const urgent = aRelease({ counter: 3, kind: 'emergency' })
      return ordered(w, urgent)
    }),
    attack('an emergency that lives for half a year', 'EXPIRES', 'lifetime-in-bounds', (w) => {
      const urgent = aRelease({ counter: 3, kind: 'emergency' })
      const change = (signed: RoleSigned) => ({
        ...withTarget(signed, urgent.path, urgent.target),
        expires: '2027-05-01T00:00:00Z',
      })
      const forged = nextVersion<RoleSigned>(w, 'retail.emergency', change, emergencyMembers)
      return ordered(w, urgent, { sources: [forgeInto(w, { 'retail.emergency': forged })] })
    }),
  ]
}
