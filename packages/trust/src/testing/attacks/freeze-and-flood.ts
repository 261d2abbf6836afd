import { expiryText } from '#/expiry.ts'
import { attack, tuf, ordered, served, lengthOf, type Attack, third } from '#/testing/attack.ts'
import { type Scenario, honestScenario } from '#/testing/scenario.ts'
import { type Forgery, type World, forgeInto, goFor, members, nextVersion, now, second } from '#/testing/world.ts'
import { type RoleSigned, fileBytesOf } from '#/tuf/documents.ts'

export function freezeAndFlood(): Attack[] {
  return [
    tuf('the timestamp has expired', 'EXPIRED', (w) => honestScenario(w, { clock: now.add({ hours: 49 }) })),
    tuf('the role file of the line has expired', 'EXPIRED', (w) => {
      const ending = expiryText(now.add({ hours: 1 }))
      const forged = nextVersion<RoleSigned>(w, 'retail.pos', (signed) => ({ ...signed, expires: ending }), members)
      const later = now.add({ hours: 2 })
      return honestScenario(w, { sources: [forgeInto(w, { 'retail.pos': forged })], clock: later })
    }),
    attack('a device keeps what it verified beyond its end', 'EXPIRED', 'authority-is-fresh', (w) => {
      return honestScenario(w, { askedAfter: Temporal.Duration.from({ hours: 49 }) })
    }),
    attack('a stolen key makes a timestamp that lives until 2099', 'EXPIRES', 'lifetime-in-bounds', (w) => {
      return forgedOnline(w, { timestamp: (signed) => ({ ...signed, expires: '2099-01-01T00:00:00Z' }) })
    }),
    attack('a snapshot that lives for a month', 'EXPIRES', 'lifetime-in-bounds', (w) => {
      return forgedOnline(w, { snapshot: (signed) => ({ ...signed, expires: '2026-12-23T00:00:00Z' }) })
    }),
    attack('a timestamp that never expires', 'EXPIRES', 'dates-are-well-formed', (w) => {
      return forgedOnline(w, { timestamp: (signed) => ({ ...signed, expires: 'never' }) })
    }),
    attack('an expiry that every reader reads in another way', 'EXPIRES', 'dates-are-well-formed', (w) => {
      return forgedOnline(w, { timestamp: (signed) => ({ ...signed, expires: '2026-11-24' }) })
    }),
    attack('a timestamp from the future', 'ISSUED', 'issued-in-the-past', (w) => {
      return forgedOnline(w, { timestamp: (signed) => ({ ...signed, 'x-issued': '2026-11-24T00:00:00Z' }) })
    }),
    attack('a timestamp without end', 'ENDLESS', 'file-in-bounds', (w) => {
      const bytes = Buffer.concat([w.files.get('timestamp.json') ?? Buffer.of(), Buffer.alloc(20_000, ' ')])
      return honestScenario(w, { sources: [new Map(w.files).set('timestamp.json', bytes)] })
    }),
    attack('a role file that is longer than the snapshot says', 'ENDLESS', 'file-in-bounds', (w) => {
      const bytes = Buffer.concat([w.files.get('2.retail.pos.json') ?? Buffer.of(), Buffer.alloc(10, ' ')])
      return honestScenario(w, { sources: [new Map(w.files).set('2.retail.pos.json', bytes)] })
    }),
    attack('a role file with 501 releases', 'TOOMANY', 'file-lists-few', (w) => {
      const many = Array.from({ length: 501 }, (_none, n) => [`retail/pos/normal/REL-${n + 10}.json`, second.target])
      const change = (signed: RoleSigned) => ({
        ...signed,
        targets: { ...signed.targets, ...Object.fromEntries(many) },
      })
      return served(w, 'retail.pos', nextVersion<RoleSigned>(w, 'retail.pos', change, members))
    }),
    attack('a role file that says a thing twice', 'FORM', 'file-is-strict-json', (w) => {
      const forged = goFor(w, third)
      const text = Buffer.from(fileBytesOf(forged)).toString('utf8')
      // Both readings have the length that the snapshot names, and the last one counts for tuf-js.
      const bytes = Buffer.from(text.replace('"signed":{', '"signed":{"_type":"targets",'))
      const files = forgeInto(w, { 'retail.pos': forged }, { snapshot: lengthOf('retail.pos', bytes.length) })
      return ordered(w, third, { sources: [files.set('3.retail.pos.json', bytes)] })
    }),
    tuf('the snapshot of another day under the name of today', 'MIX', (w) => {
      const files = new Map(w.files).set('2.snapshot.json', w.files.get('1.snapshot.json') ?? Buffer.of())
      return honestScenario(w, { sources: [files] })
    }),
    tuf('an older role file under the name of the newest', 'MIX', (w) => {
      const files = new Map(w.files).set('2.retail.pos.json', w.files.get('1.retail.pos.json') ?? Buffer.of())
      return honestScenario(w, { sources: [files] })
    }),
    tuf('the same where both are equally long', 'MIX', (w) => {
      const old = w.files.get('1.retail.pos.json') ?? Buffer.of()
      const files = forgeInto(w, {}, { snapshot: lengthOf('retail.pos', old.length) })
      return honestScenario(w, { sources: [files.set('2.retail.pos.json', old)] })
    }),
    tuf('no source answers', 'UNAVAILABLE', (w) => honestScenario(w, { sources: [new Map()] })),
  ]
}

function forgedOnline(world: World, forgery: Forgery): Scenario {
  return honestScenario(world, { sources: [forgeInto(world, {}, forgery)] })
}
