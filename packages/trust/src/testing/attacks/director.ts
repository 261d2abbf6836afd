import { freshMemory } from '#/client/memory.ts'
import { signDocument } from '#/envelope.ts'
import { expiryText } from '#/expiry.ts'
import type { KeyPair } from '#/keys.ts'
import { attack, ordered, type Attack, third } from '#/testing/attack.ts'
import { type Scenario, honestScenario } from '#/testing/scenario.ts'
import {
  type World,
  aRelease,
  anAssignment,
  anOrder,
  director,
  first,
  keyOf,
  now,
  otherDevice,
  outsider,
  second,
} from '#/testing/world.ts'

export function directorAttacks(): Attack[] {
  return [
    attack('the director orders a release that nobody signed', 'BOARD', 'board-is-the-source', (w) =>
      ordered(w, third),
    ),
    attack('the director orders other bytes under a signed name', 'MISMATCH', 'director-and-board-agree', (w) => {
      const other = aRelease({ counter: 2 }, {}, { version: '9.9.9' })
      return ordered(w, other)
    }),
    attack('an assignment of another device', 'DEVICE', 'assignment-is-for-this-device', (w) => {
      return signedBy(w, { 'x-device': otherDevice.keyId })
    }),
    attack('an assignment that another key signed', 'DIRECTOR', 'director-signed', (w) => signedBy(w, {}, outsider)),
    attack('an assignment that was changed after it was signed', 'DIRECTOR', 'director-signed', (w) => {
      const honest = signDocument(anAssignment(anOrder(second)), [director])
      return honestScenario(w, { assignment: { ...honest, signed: { ...honest.signed, version: 6 } } })
    }),
    attack('an assignment of a member of the board', 'DIRECTOR', 'director-signed', (w) =>
      signedBy(w, {}, keyOf('mona')),
    ),
    attack('an assignment that has ended', 'STALE', 'assignment-is-alive', (w) => {
      return signedBy(w, { expires: expiryText(now) })
    }),
    attack('an assignment that lives for years, with a stolen key', 'EXPIRES', 'assignment-lifetime-in-bounds', (w) => {
      return signedBy(w, { expires: '2099-01-01T00:00:00Z' })
    }),
    attack('an assignment older than the last one', 'REPLAY', 'assignment-is-not-older', (w) => {
      return honestScenario(w, { memory: { ...freshMemory(now), assignmentVersion: 6 } })
    }),
    attack('an assignment that delegates', 'DIRECTOR', 'assignment-delegates-nothing', (w) => {
      return signedBy(w, { delegations: { keys: {}, roles: [] } })
    }),
    attack('an assignment of another kind', 'FORM', 'assignment-has-a-form', (w) => signedBy(w, { _type: 'root' })),
    attack('an assignment with 501 releases', 'TOOMANY', 'assignment-lists-few', (w) => {
      const [target] = Object.values(anAssignment(anOrder(second)).targets)
      const many = Array.from({ length: 501 }, (_none, n) => [`retail/pos/normal/REL-${n}.json`, target])
      return signedBy(w, { targets: Object.fromEntries(many) })
    }),
    attack('an assignment without the job', 'JOB', 'assignment-has-the-job', (w) =>
      ordered(w, second, {}, { job: '8' }),
    ),
    ...[
      'retail/../../etc/passwd',
      '/etc/passwd',
      'retail/constructor/normal/REL-1.json',
      'retail/pos/stop/REL-0002.json',
    ].map((path) =>
      attack(`an assignment of ${path}`, 'PATH', 'paths-have-a-shape', (w) => {
        return signedBy(w, anAssignment({ ...anOrder(second), path }, anOrder(first, { job: '8' })))
      }),
    ),
    attack('an assignment of constructor', 'DIRECTOR', 'director-signed', (w) => {
      const { signed, signatures } = signDocument(anAssignment(anOrder(second)), [director])
      const targets = { constructor: Object.values(signed.targets)[0] }
      return honestScenario(w, { assignment: { signed: { ...signed, targets }, signatures } })
    }),
  ]
}

function signedBy(world: World, over: object, signer: KeyPair = director): Scenario {
  const assignment = signDocument({ ...anAssignment(anOrder(second)), ...over }, [signer])
  return honestScenario(world, { assignment })
}
