import { attack, tuf, ordered, released, type Attack, third } from '#/testing/attack.ts'
import { honestScenario } from '#/testing/scenario.ts'
import {
  aRelease,
  custodians,
  forgeInto,
  goFor,
  keyOf,
  members,
  nextVersion,
  openPhase,
  otherMembers,
  outsider,
  second,
  withTarget,
} from '#/testing/world.ts'
import type { RoleSigned } from '#/tuf/documents.ts'

export function arbitrarySoftware(): Attack[] {
  return [
    tuf('one of three members signs', 'QUORUM', (w) => released(w, third, goFor(w, third, members.slice(0, 1)))),
    tuf('a member and an outsider sign', 'QUORUM', (w) => {
      return released(w, third, goFor(w, third, [keyOf('mona'), outsider]))
    }),
    tuf('one member signs twice', 'QUORUM', (w) => {
      const once = goFor(w, third, members.slice(0, 1))
      return released(w, third, { ...once, signatures: [...once.signatures, ...once.signatures] })
    }),
    tuf('an outsider signs under the id of a member', 'QUORUM', (w) => {
      const forged = goFor(w, third, [keyOf('mona'), outsider])
      const [mona, other] = forged.signatures
      const milo = keyOf('milo').keyId
      return released(w, third, {
        ...forged,
        signatures: [mona, { ...other, keyid: milo }] as typeof forged.signatures,
      })
    }),
    tuf('a phase is widened after the board has signed', 'QUORUM', (w) => {
      const honest = goFor(w, third)
      const wider = { ...third.target, custom: { ...third.target.custom, phases: [{ ...openPhase, permille: 1000 }] } }
      return released(w, third, { ...honest, signed: withTarget(honest.signed, third.path, wider) })
    }),
    attack('a signature that two programs read in different ways', 'QUORUM', 'quorum-is-counted-again', (w) => {
      const honest = goFor(w, third)
      const signatures = honest.signatures.map(({ keyid, sig }, n) => ({
        keyid,
        sig: n === 0 ? sig.toUpperCase() : sig,
      }))
      return released(w, third, { ...honest, signatures })
    }),
    attack('one byte of the manifest is flipped', 'MANIFEST', 'manifest-is-the-signed-one', (w) => {
      const manifestBytes = second.bytes.with(10, 33)
      return honestScenario(w, { manifestBytes })
    }),
    attack('the custodians ship software themselves', 'BOARD', 'board-is-the-source', (w) => {
      const change = (signed: RoleSigned) => withTarget(signed, third.path, third.target)
      const forged = nextVersion<RoleSigned>(w, 'targets', change, custodians)
      return ordered(w, third, { sources: [forgeInto(w, { targets: forged })] })
    }),
    attack('the board of one product signs a release of another', 'BOARD', 'board-is-the-source', (w) => {
      const change = (signed: RoleSigned) => withTarget(signed, third.path, third.target)
      const forged = nextVersion<RoleSigned>(w, 'ops.net', change, otherMembers)
      return ordered(w, third, { sources: [forgeInto(w, { 'ops.net': forged })] })
    }),
    attack(
      'the board signed something with a limit that the device does not know',
      'FORM',
      'board-entry-is-understood',
      (w) => {
        const custom = { ...third.target.custom, onlyOnSundays: true }
        const change = (signed: RoleSigned) => withTarget(signed, third.path, { ...third.target, custom })
        return released(w, third, nextVersion<RoleSigned>(w, 'retail.pos', change, members))
      },
    ),
    attack('the board signed a manifest that is none', 'FORM', 'manifest-has-a-form', (w) => {
      const odd = aRelease({ counter: 3 }, {}, { packages: [] })
      return released(w, odd, goFor(w, odd))
    }),
    attack('the entry speaks of another release than its path', 'IDENTITY', 'all-name-the-same-release', (w) => {
      const odd = aRelease({ counter: 3 }, { release: 'REL-0009' })
      return released(w, odd, goFor(w, odd), { release: 'REL-0003' })
    }),
    attack('the manifest speaks of another release than its path', 'IDENTITY', 'all-name-the-same-release', (w) => {
      const odd = aRelease({ counter: 3 }, {}, { release: 'REL-0009' })
      return released(w, odd, goFor(w, odd))
    }),
    attack('the manifest has another counter than was signed', 'IDENTITY', 'all-name-the-same-release', (w) => {
      const odd = aRelease({ counter: 3 }, {}, { counter: 9 })
      return released(w, odd, goFor(w, odd))
    }),
  ]
}
