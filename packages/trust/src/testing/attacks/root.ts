import { signDocument } from '#/envelope.ts'
import { sha256Hex } from '#/keys.ts'
import { rootOf, attack, tuf, type Attack } from '#/testing/attack.ts'
import { honestScenario } from '#/testing/scenario.ts'
import { custodians, now, outsider, rootQuorums } from '#/testing/world.ts'
import { buildRoot } from '#/tuf/build.ts'
import { fileBytesOf } from '#/tuf/documents.ts'

export function rootAttacks(): Attack[] {
  return [
    attack('the device was handed another root than its fingerprint says', 'ROOT', 'root-is-the-anchor', (w) => {
      const bytes = fileBytesOf(signDocument(buildRoot({ version: 1, at: now }, rootQuorums()), [outsider]))
      return honestScenario(w, { anchor: { bytes, sha256: sha256Hex(w.files.get('1.root.json') ?? '') } })
    }),
    tuf('a new root with one of the two old custodians that it needs', 'QUORUM', (w) => {
      const files = new Map(w.files).set('2.root.json', fileBytesOf(rootOf(w, 2, custodians.slice(0, 1))))
      return honestScenario(w, { sources: [files] })
    }),
    tuf('a new root that only its own new keys signed', 'QUORUM', (w) => {
      const own = { publicKeys: [outsider.publicKey], threshold: 1 }
      const root = buildRoot({ version: 2, at: now }, { root: own, targets: own, snapshot: own, timestamp: own })
      const files = new Map(w.files).set('2.root.json', fileBytesOf(signDocument(root, [outsider])))
      return honestScenario(w, { sources: [files] })
    }),
    tuf('a root version is skipped', 'ROLLBACK', (w) => {
      const files = new Map(w.files).set('2.root.json', fileBytesOf(rootOf(w, 3, custodians)))
      return honestScenario(w, { sources: [files] })
    }),
  ]
}
