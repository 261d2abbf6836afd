import { canonicalJson } from '#/canonical.ts'
import type { Envelope } from '#/envelope.ts'
import { sha256Hex, tufKeyOf } from '#/keys.ts'
import { attack, ordered, served, delegating, lengthOf, type Attack, third } from '#/testing/attack.ts'
import { type Scenario, honestScenario } from '#/testing/scenario.ts'
import { type World, forgeInto, goFor, keyOf, members, nextVersion } from '#/testing/world.ts'
import { type DelegatingSigned, type RoleSigned, fileBytesOf } from '#/tuf/documents.ts'

export function weakKeys(): Attack[] {
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

/** A release that one person signed under two ids, with the board that lists both. */
function twiceSigned(world: World, board: Envelope<DelegatingSigned>, alias: string): Scenario {
  const once = goFor(world, third, [keyOf('mona')])
  const twice = { ...once, signatures: once.signatures.flatMap((one) => [one, { ...one, keyid: alias }]) }
  return ordered(world, third, { sources: [forgeInto(world, { retail: board, 'retail.pos': twice })] })
}
