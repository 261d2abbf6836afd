import type { AssignmentCustom } from '@bascule/contract/device/protocol.ts'
import { type Envelope, signDocument } from '#/envelope.ts'
import { expiryText } from '#/expiry.ts'
import { type KeyPair, sha256Hex, tufKeyOf } from '#/keys.ts'
import type { AuthorityCode } from '#/client/refusal.ts'
import { freshMemory } from '#/client/memory.ts'
import { buildAudienceTree } from '#/merkle.ts'
import { canonicalJson } from '#/canonical.ts'
import { audiencePosition } from '#/client/audience-position.ts'
import {
  type DelegatingSigned,
  type ReleaseCustom,
  type RoleSigned,
  type RootSigned,
  fileBytesOf,
} from '#/tuf/documents.ts'
import { buildRoot } from '#/tuf/build.ts'
import { type Scenario, honestScenario, installedOf, refresh } from './scenario.ts'
import {
  type Forgery,
  type Release,
  type World,
  aRelease,
  aStop,
  anAssignment,
  anOrder,
  custodians,
  device,
  director,
  emergencyMembers,
  first,
  forgeInto,
  goFor,
  keyOf,
  members,
  nextVersion,
  now,
  openPhase,
  otherDevice,
  otherMembers,
  outsider,
  publishInto,
  rootQuorums,
  second,
  withTarget,
} from './world.ts'

/** One way to make a device install what it must not, and the code and check that refuse it. */
export interface Attack {
  readonly name: string
  readonly code: AuthorityCode
  readonly rule: string
  readonly arrange: (world: World) => Scenario | Promise<Scenario>
}

const third = aRelease({ counter: 3 })

export const attacks: readonly Attack[] = [
  ...arbitrarySoftware(),
  ...rollback(),
  ...freezeAndFlood(),
  ...weakKeys(),
  ...rootAttacks(),
  ...directorAttacks(),
  ...widerOrEarlier(),
  ...stopsAndEmergencies(),
  ...backOuts(),
]

function arbitrarySoftware(): Attack[] {
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

function rollback(): Attack[] {
  return [
    tuf('an old timestamp is replayed', 'ROLLBACK', async (w) => {
      const seen = await afterRefresh(honestScenario(w))
      const older = new Map(w.files).set('timestamp.json', timestampOf(w, w.state.timestamp.signed.version - 1))
      return { ...seen, sources: [older] }
    }),
    tuf('stolen online keys list an older role file', 'ROLLBACK', async (w) => {
      return { ...(await afterRefresh(honestScenario(w))), sources: [olderRole(w)] }
    }),
    tuf('stolen online keys leave a role out of the snapshot', 'ROLLBACK', async (w) => {
      return { ...(await afterRefresh(honestScenario(w))), sources: [withoutRole(w)] }
    }),
    attack('the same, and the device has lost its cache', 'ROLLBACK', 'roles-are-not-older', async (w) => {
      return { ...(await afterRefresh(honestScenario(w))), sources: [olderRole(w)], cache: new Map() }
    }),
    attack(
      'a role that the device has seen is left out, without a cache',
      'ROLLBACK',
      'roles-are-not-older',
      async (w) => {
        return { ...(await afterRefresh(honestScenario(w))), sources: [withoutRole(w)], cache: new Map() }
      },
    ),
    attack(
      'an older timestamp with the same roles, without a cache',
      'ROLLBACK',
      'online-files-are-not-older',
      async (w) => {
        const later = publishInto(w, {})
        return { ...(await afterRefresh(honestScenario(later))), sources: [w.files], cache: new Map() }
      },
    ),
    attack('the newest root is withheld, without a cache', 'ROLLBACK', 'root-is-not-older', async (w) => {
      const rotated = publishInto(w, { root: rootOf(w, 2, custodians) })
      const files = new Map(rotated.files)
      files.delete('2.root.json')
      return { ...(await afterRefresh(honestScenario(rotated))), sources: [files], cache: new Map() }
    }),
    attack('the director orders an older release that is still signed', 'ROLLBACK', 'counter-rises', (w) => {
      return ordered(w, first, { installed: installedOf(second) })
    }),
    attack('the same after the software was removed', 'ROLLBACK', 'counter-rises', (w) => {
      const memory = { ...freshMemory(now), installed: { 'retail/pos': { counter: 2, release: 'REL-0002' } } }
      return ordered(w, first, { installed: null, memory })
    }),
  ]
}

function freezeAndFlood(): Attack[] {
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

function weakKeys(): Attack[] {
  return [
    attack('one person stands in the board under two ids', 'KEYID', 'key-ids-are-hashes', (w) => {
      const alias = '0'.repeat(64)
      const board = delegating(w, (keys, roles) => [
        { ...keys, [alias]: tufKeyOf(keyOf('mona').publicKey) },
        roles.map((role) => ({ ...role, keyids: [...role.keyids, alias] })),
      ])
      return twiceSigned(w, board, alias)
    }),
    attack('one key stands in the board in two forms', 'DUPKEY', 'no-twin-keys', (w) => {
      const twin = { ...tufKeyOf(keyOf('mona').publicKey), note: 'another' }
      const id = sha256Hex(canonicalJson(twin))
      const board = delegating(w, (keys, roles) => [
        { ...keys, [id]: twin },
        roles.map((role) => ({ ...role, keyids: [...role.keyids, id] })),
      ])
      return twiceSigned(w, board, id)
    }),
    ...[0, -1].map((threshold) =>
      attack(`a threshold of ${threshold}`, 'THRESHOLD', 'thresholds-are-possible', (w) => {
        const board = delegating(w, (keys, roles) => [keys, roles.map((role) => ({ ...role, threshold }))])
        return served(w, 'retail', board)
      }),
    ),
    attack('a key of the director is listed twice', 'THRESHOLD', 'thresholds-are-possible', (w) => {
      const board = delegating(w, (keys, roles) => [
        keys,
        roles.map((role) => ({ ...role, keyids: [...role.keyids, ...role.keyids] })),
      ])
      return served(w, 'retail', board)
    }),
    attack('a threshold between two numbers', 'FORM', 'file-is-strict-json', (w) => {
      const board = nextVersion<DelegatingSigned>(w, 'retail', (signed) => signed, members)
      const text = Buffer.from(fileBytesOf(board)).toString('utf8').replace('"threshold":2', '"threshold":0.5')
      const files = forgeInto(w, { retail: board }, { snapshot: lengthOf('retail', text.length) })
      return honestScenario(w, { sources: [files.set('2.retail.json', Buffer.from(text))] })
    }),
    attack('a role whose name climbs', 'DELEGATION', 'delegations-stay-below', (w) => {
      const evil = { name: '../../evil', threshold: 1, terminating: true, paths: ['retail/*/*/*'] }
      const board = delegating(w, (keys, roles) => [
        keys,
        [{ ...evil, keyids: Object.keys(keys).slice(0, 1) }, ...roles],
      ])
      return served(w, 'retail', board)
    }),
    attack('a board that lets a line list everything', 'DELEGATION', 'delegations-stay-below', (w) => {
      const board = delegating(w, (keys, roles) => [keys, roles.map((role) => ({ ...role, paths: ['retail/*/*/*'] }))])
      return served(w, 'retail', board)
    }),
    attack('a line that delegates', 'DELEGATION', 'delegations-stay-below', (w) => {
      const delegations = { keys: {}, roles: [] }
      const forged = nextVersion<RoleSigned>(w, 'retail.pos', (signed) => ({ ...signed, delegations }), members)
      return served(w, 'retail.pos', forged)
    }),
    attack('a key that is kept worse than the board demands', 'LEVEL', 'keys-are-kept-as-demanded', (w) => {
      const levels = Object.fromEntries(members.map(({ keyId }, index) => [keyId, index === 0 ? 1 : 3]))
      const demand = { 'x-min-level': 2, 'x-levels': levels }
      const board = delegating(w, (keys, roles) => [
        keys,
        roles.map((role) => (role.name === 'retail.pos' ? { ...role, ...demand } : role)),
      ])
      return served(w, 'retail', board)
    }),
  ]
}

function rootAttacks(): Attack[] {
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

function directorAttacks(): Attack[] {
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

function widerOrEarlier(): Attack[] {
  return [
    attack('a phase that the board has not opened', 'PHASE', 'phase-is-signed', (w) =>
      ordered(w, second, {}, { phase: 2 }),
    ),
    attack('a phase before its time', 'NOTBEFORE', 'phase-has-begun', (w) => {
      return limited(w, { notBefore: '2026-11-24T08:00:00Z' })
    }),
    attack('a phase after its end', 'NOTAFTER', 'phase-has-not-ended', (w) => {
      return limited(w, { notAfter: '2026-11-22T08:00:00Z' })
    }),
    attack('a device outside the audience with the proof of another', 'AUDIENCE', 'device-is-in-the-audience', (w) => {
      const stranger = keyOf('stranger')
      const assignment = signDocument({ ...anAssignment(anOrder(second)), 'x-device': stranger.keyId }, [director])
      return honestScenario(w, { assignment, deviceId: stranger.keyId })
    }),
    attack('a device of a later phase', 'AUDIENCE', 'device-is-in-the-audience', (w) => {
      return limited(w, { audienceRoot: buildAudienceTree([otherDevice.keyId]).root })
    }),
    attack('more devices than the share that was signed', 'PHASE', 'device-is-in-the-share', (w) => {
      const position = audiencePosition(device.keyId, third.path)
      return limited(w, { audienceRoot: null, permille: position })
    }),
  ]
}

function stopsAndEmergencies(): Attack[] {
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

function backOuts(): Attack[] {
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
    attack('a back-out from what is not installed', 'MISMATCH', 'director-and-board-agree', (w) => {
      return ordered(backOutWorld(w), first, { installed: installedOf(second), kept: installedOf(first) }, back)
    }),
    attack('a removal that nobody signed', 'REMOVE', 'removal-is-signed', (w) => {
      return ordered(w, second, { installed: installedOf(second) }, { action: 'remove' })
    }),
  ]
}

/** The board allows to go back from the second release to the first. */
export function backOutWorld(world: World): World {
  const target = { ...first.target, custom: { ...first.target.custom, backoutFrom: ['REL-0002'] } }
  const change = (signed: RoleSigned) => withTarget(signed, first.path, target)
  return publishInto(world, { 'retail.pos': nextVersion<RoleSigned>(world, 'retail.pos', change, members) })
}

/** The same device later, with the cache and the memory of an honest refresh. */
export async function afterRefresh(scenario: Scenario): Promise<Scenario> {
  const cache = new Map(scenario.cache)
  const refreshed = await refresh({ ...scenario, cache })
  if (!refreshed.ok) throw new Error(`Refreshing honestly: ${refreshed.error.fact}`)
  return { ...scenario, cache, memory: refreshed.value.memory }
}

/** The next root, with the same keys. */
export function rootOf(
  world: World,
  version: number,
  signers: readonly KeyPair[],
  over: Partial<ReturnType<typeof rootQuorums>> = {},
): Envelope<RootSigned> {
  return signDocument(buildRoot({ version, at: world.at }, { ...rootQuorums(), ...over }), signers)
}

export function stopping(world: World, release: Release): Envelope<RoleSigned> {
  const [path, target] = aStop(release)
  return nextVersion<RoleSigned>(world, 'retail.stop', (signed) => withTarget(signed, path, target), members.slice(2))
}

function attack(name: string, code: AuthorityCode, rule: string, arrange: Attack['arrange']): Attack {
  return { name, code, rule, arrange }
}

/** An attack that tuf-js refuses by itself: no check of ours may be needed for it. */
function tuf(name: string, code: AuthorityCode, arrange: Attack['arrange']): Attack {
  return { name, code, rule: 'tuf-verifies', arrange }
}

/** The director orders this release. */
export function ordered(
  world: World,
  release: Release,
  over: Partial<Scenario> = {},
  order: Partial<AssignmentCustom> = {},
): Scenario {
  const assignment = signDocument(anAssignment(anOrder(release, order)), [director])
  return honestScenario(world, { assignment, manifestBytes: release.bytes, ...over })
}

/** The attacker's server publishes this role file of the line, and the director orders the release. */
function released(
  world: World,
  release: Release,
  document: Envelope<RoleSigned>,
  order: Partial<AssignmentCustom> = {},
): Scenario {
  return ordered(world, release, { sources: [forgeInto(world, { 'retail.pos': document })] }, order)
}

function served(world: World, role: string, document: Envelope<unknown>): Scenario {
  return honestScenario(world, { sources: [forgeInto(world, { [role]: document })] })
}

function forgedOnline(world: World, forgery: Forgery): Scenario {
  return honestScenario(world, { sources: [forgeInto(world, {}, forgery)] })
}

function signedBy(world: World, over: object, signer: KeyPair = director): Scenario {
  const assignment = signDocument({ ...anAssignment(anOrder(second)), ...over }, [signer])
  return honestScenario(world, { assignment })
}

/** A third release with one limit changed, honestly signed and honestly ordered. */
function limited(world: World, limit: Partial<ReleaseCustom['phases'][number]>): Scenario {
  const release = aRelease({ counter: 3 }, { phases: [{ ...openPhase, ...limit }] })
  return released(world, release, goFor(world, release))
}

type Keys = DelegatingSigned['delegations']['keys']
type Roles = readonly { readonly name: string; readonly keyids: readonly string[] }[]

/** The next version of the board's file, signed by all members, with its keys and roles changed. */
function delegating(
  world: World,
  change: (keys: Keys, roles: Roles) => readonly [object, readonly object[]],
): Envelope<DelegatingSigned> {
  return nextVersion<DelegatingSigned>(
    world,
    'retail',
    (signed) => {
      const [keys, roles] = change(signed.delegations.keys, signed.delegations.roles)
      return { ...signed, delegations: { keys, roles } }
    },
    members,
  )
}

/** A release that one person signed under two ids, with the board that lists both. */
function twiceSigned(world: World, board: Envelope<DelegatingSigned>, alias: string): Scenario {
  const once = goFor(world, third, [keyOf('mona')])
  const twice = { ...once, signatures: once.signatures.flatMap((one) => [one, { ...one, keyid: alias }]) }
  return ordered(world, third, { sources: [forgeInto(world, { retail: board, 'retail.pos': twice })] })
}

function olderRole(world: World): Map<string, Uint8Array> {
  const length = world.files.get('1.retail.pos.json')?.length ?? 0
  return forgeInto(
    world,
    {},
    {
      snapshot: (signed) => ({ ...signed, meta: { ...signed.meta, 'retail.pos.json': { version: 1, length } } }),
    },
  )
}

function withoutRole(world: World): Map<string, Uint8Array> {
  return forgeInto(
    world,
    {},
    {
      snapshot: ({ meta, ...signed }) => {
        const { 'retail.stop.json': _gone, ...rest } = meta
        return { ...signed, meta: rest }
      },
    },
  )
}

function lengthOf(role: string, length: number): Forgery['snapshot'] {
  return (signed) => {
    const entry = signed.meta[`${role}.json`]
    return { ...signed, meta: { ...signed.meta, [`${role}.json`]: { ...entry, length } } }
  }
}

/** The timestamp of an earlier version, as it was published then. */
function timestampOf(world: World, version: number): Uint8Array {
  const { signed } = world.state.timestamp
  return fileBytesOf(signDocument({ ...signed, version }, [keyOf('timestamp')]))
}
