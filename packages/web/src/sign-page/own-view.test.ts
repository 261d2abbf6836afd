import { signDocument } from '@bascule/trust/envelope.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import {
  aRelease,
  custodians,
  forgeInto,
  goFor,
  honestWorld,
  keyOf,
  members,
  nextVersion,
  now,
  outsider,
  publicOf,
  publishInto,
  second,
  twoOf,
  type World,
} from '@bascule/trust/testing/world.ts'
import type { RootSigned } from '@bascule/trust/tuf/documents.ts'
import { buildRoot } from '@bascule/trust/tuf/build.ts'
import { expect, test } from 'vitest'
import type { OwnMemory } from './own-memory.ts'
import { lookAtBoards } from './own-view.ts'

const role = 'retail.pos'
type Files = ReadonlyMap<string, Uint8Array>

async function look(files: Files, memory?: OwnMemory, at = now) {
  const fetchFile = (name: string) => Promise.resolve(textOf(files, name))
  return await lookAtBoards({ fetchFile, memory, at }, [role])
}

function textOf(files: Files, name: string): string | undefined {
  const bytes = files.get(name)
  return bytes && new TextDecoder().decode(bytes)
}

async function seen({ files }: World, at = now): Promise<OwnMemory> {
  const view = await look(files, undefined, at)
  if (!view.ok) throw new Error(view.error.fact)
  return view.value.memory
}

function without(files: Files, name: string): Map<string, Uint8Array> {
  return new Map([...files].filter(([other]) => other !== name))
}

async function ruleOf(files: Files, memory?: OwnMemory, at = now): Promise<string> {
  const view = await look(files, memory, at)
  return view.ok ? 'believed' : view.error.rule
}

const world = honestWorld()
const third = aRelease({ counter: 3 })
const later = publishInto(world, { [role]: goFor(world, third) })

test('the first look takes the root that is handed out as the anchor and says so', async () => {
  const view = await look(world.files)
  expect(view.ok && view.value.anchor).toEqual({
    sha256: sha256Hex(world.files.get('1.root.json') ?? ''),
    since: now.toString(),
    isNew: true,
  })
  expect(view.ok && view.value.versionOf(role)).toMatchObject({ version: 2, targets: { [second.path]: second.target } })
  expect(view.ok && Object.keys(view.value.quorumOf(role).keys).toSorted()).toEqual(
    members.map(({ keyId }) => keyId).toSorted(),
  )
})

test('the next look goes on from what was remembered', async () => {
  const view = await look(without(later.files, '1.root.json'), await seen(world))
  expect(view.ok && view.value.anchor).toMatchObject({ isNew: false, since: now.toString() })
  expect(view.ok && view.value.versionOf(role).version).toBe(3)
})

test('what was seen is never unseen', async () => {
  const memory = await seen(later)
  expect(await ruleOf(later.files, memory)).toBe('believed')
  expect(await ruleOf(world.files, memory)).toBe('nothing-goes-back')
})

test('stolen online keys cannot take a board back, although they may say which file is new', async () => {
  const memory = await seen(later)
  const back = forgeInto(
    later,
    {},
    {
      snapshot: (signed) => ({ ...signed, meta: { ...signed.meta, [`${role}.json`]: { version: 2, length: 1 } } }),
    },
  )
  expect(await ruleOf(back, memory)).toBe('nothing-goes-back')
  const gone = forgeInto(
    later,
    {},
    {
      snapshot: ({ meta, ...signed }) => ({
        ...signed,
        meta: Object.fromEntries(Object.entries(meta).filter(([name]) => name !== `${role}.json`)),
      }),
    },
  )
  expect(await ruleOf(gone, memory)).toBe('nothing-goes-back')
})

test('a role file counts with the quorum of the board and with nothing less', async () => {
  const [mona] = members
  const forged = (signers: Parameters<typeof goFor>[2]) => forgeInto(world, { [role]: goFor(world, third, signers) })
  expect(await ruleOf(forged(twoOf(members)))).toBe('believed')
  expect(await ruleOf(forged(mona ? [mona] : []))).toBe('quorum-signed')
  expect(await ruleOf(forged(mona ? [mona, outsider] : []))).toBe('quorum-signed')
  const twice = goFor(world, third, mona ? [mona, mona] : [])
  expect(await ruleOf(forgeInto(world, { [role]: twice }))).toBe('quorum-signed')
})

test('a file that was changed after it was signed, or swapped for another, is noticed', async () => {
  const changed = new Map(world.files)
  const text = textOf(changed, '2.retail.pos.json') ?? ''
  changed.set('2.retail.pos.json', new TextEncoder().encode(text.replace('"permille":50', '"permille":999')))
  expect(await ruleOf(changed)).toBe('quorum-signed')
  const old = new Map(later.files).set('3.retail.pos.json', later.files.get('2.retail.pos.json') ?? new Uint8Array())
  expect(await ruleOf(old)).toBe('files-fit-together')
  const mixed = new Map(later.files).set('3.snapshot.json', later.files.get('2.snapshot.json') ?? new Uint8Array())
  expect(await ruleOf(mixed)).toBe('files-fit-together')
})

test('one version has one content, even when a quorum signs two', async () => {
  const memory = await seen(later)
  const other = withSameVersion(later)
  expect(await ruleOf(other, memory)).toBe('one-version-one-content')
})

function withSameVersion(of: World): Map<string, Uint8Array> {
  const other = goFor(world, aRelease({ counter: 4 }))
  return new Map(of.files).set('3.retail.pos.json', new TextEncoder().encode(JSON.stringify(other)))
}

test('what has ended or ends too late is not believed', async () => {
  expect(await ruleOf(world.files, undefined, now.add({ hours: 24 * 3 }))).toBe('file-is-fresh')
  const forever = forgeInto(world, {}, { timestamp: (signed) => ({ ...signed, expires: '2099-01-01T00:00:00Z' }) })
  expect(await ruleOf(forever)).toBe('file-is-fresh')
})

test('a new root is followed when the old custodians and the new ones signed it, and else not', async () => {
  const memory = await seen(world)
  const dora = keyOf('dora')
  const newRoot = (signers: typeof custodians) =>
    nextVersion<RootSigned>(
      world,
      'root',
      ({ version }) => {
        const keys = publicOf([...custodians.slice(0, 2), dora])
        const online = (name: string) => ({ publicKeys: publicOf([keyOf(name)]), threshold: 1 })
        const people = { publicKeys: keys, threshold: 2 }
        const roles = { root: people, targets: people, snapshot: online('snapshot'), timestamp: online('timestamp') }
        return buildRoot({ version, at: now }, roles)
      },
      signers,
    )
  const rotated = publishInto(world, { root: newRoot(custodians.slice(0, 2)) })
  const view = await look(rotated.files, memory)
  expect(view.ok && JSON.parse(view.value.memory.root)).toMatchObject({ signed: { version: 2 } })
  expect(await ruleOf(forgeInto(world, { root: newRoot([...custodians.slice(0, 1), dora]) }), memory)).toBe(
    'quorum-signed',
  )
})

test('another first root does not take the place of the one that this page knows', async () => {
  const memory = await seen(world)
  const own = signDocument({ ...(JSON.parse(memory.anchor) as { signed: object }).signed, version: 1 }, [outsider])
  const theirs = new Map(world.files).set('1.root.json', new TextEncoder().encode(JSON.stringify(own)))
  const view = await look(theirs, memory)
  expect(view.ok && view.value.anchor.sha256).toBe(memory.anchorSha256)
  expect(await ruleOf(theirs)).toBe('quorum-signed')
})

test('a role that no board delegates, or that lists nothing, is refused', async () => {
  const fetchFile = (name: string) => Promise.resolve(textOf(world.files, name))
  for (const other of ['retail.other', 'nobody.pos', 'snapshot', 'director', '../evil']) {
    const view = await lookAtBoards({ fetchFile, memory: undefined, at: now }, [other])
    expect(view, other).toMatchObject({ ok: false, error: { rule: 'role-is-delegated' } })
  }
})
