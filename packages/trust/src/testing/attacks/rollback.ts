import { freshMemory } from '#/client/memory.ts'
import { signDocument } from '#/envelope.ts'
import { afterRefresh, rootOf, attack, tuf, ordered, type Attack } from '#/testing/attack.ts'
import { honestScenario, installedOf } from '#/testing/scenario.ts'
import { type World, custodians, first, forgeInto, keyOf, now, publishInto, second } from '#/testing/world.ts'
import { fileBytesOf } from '#/tuf/documents.ts'

export function rollback(): Attack[] {
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

/** The timestamp of an earlier version, as it was published then. */
function timestampOf(world: World, version: number): Uint8Array {
  const { signed } = world.state.timestamp
  return fileBytesOf(signDocument({ ...signed, version }, [keyOf('timestamp')]))
}
