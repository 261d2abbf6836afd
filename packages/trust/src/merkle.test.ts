import { setImmediate } from 'node:timers/promises'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildAudienceTree, growAudienceTree, isInAudience, merkleRoot } from './merkle.ts'
import { sha256Hex } from './keys.ts'

/** The leaves and roots that certificate transparency logs test with. */
const ctLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'))
const ctRoots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

test('roots are those of RFC 6962', () => {
  expect(merkleRoot([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(ctRoots.map((_root, index) => merkleRoot(ctLeaves.slice(0, index + 1)))).toEqual(ctRoots)
})

const audience = fc.uniqueArray(fc.nat(5000), { maxLength: 70 }).map((numbers) => numbers.map(device))

test('every member has a proof and the order of the audience does not matter', () => {
  fc.assert(
    fc.property(audience, (ids) => {
      const tree = buildAudienceTree(ids)
      expect(buildAudienceTree([...ids, ...ids].toReversed()).root).toBe(tree.root)
      expect(tree.size).toBe(ids.length)
      for (const id of ids) expect(isInAudience(id, proofIn(tree, id), tree.root)).toBe(true)
    }),
  )
})

test('no other device, place, size or path passes', () => {
  fc.assert(
    fc.property(
      audience.filter((ids) => ids.length > 1),
      fc.nat(),
      fc.nat(),
      (ids, chosen, changed) => {
        const id = ids[chosen % ids.length] ?? ''
        const tree = buildAudienceTree(ids)
        const proof = proofIn(tree, id)
        const stranger = device(9999)
        expect(tree.proofOf(stranger)).toBeUndefined()
        expect(isInAudience(stranger, proof, tree.root)).toBe(false)
        expect(isInAudience(id, { ...proof, index: (proof.index + 1) % proof.size }, tree.root)).toBe(false)
        expect(isInAudience(id, { ...proof, path: proof.path.slice(1) }, tree.root)).toBe(false)
        expect(isInAudience(id, { ...proof, path: [...proof.path, stranger] }, tree.root)).toBe(false)
        const forged = proof.path.with(changed % proof.path.length, stranger)
        expect(isInAudience(id, { ...proof, path: forged }, tree.root)).toBe(false)
      },
    ),
  )
})

test('a node never passes for a leaf, and nonsense is a no', () => {
  const tree = buildAudienceTree([device(1), device(2)])
  const single = { index: 0, size: 1, path: [] }
  expect(isInAudience(tree.root, single, tree.root)).toBe(false)
  expect(isInAudience('zz', single, tree.root)).toBe(false)
  expect(isInAudience(device(1), { index: -1, size: 2, path: [] }, tree.root)).toBe(false)
  expect(isInAudience(device(1), { index: 0.5, size: 2, path: [device(2)] }, tree.root)).toBe(false)
  expect(isInAudience(device(1), { index: 0, size: 2, path: ['abc'] }, tree.root)).toBe(false)
})

test('a hundred thousand devices fit, with proofs of seventeen steps', () => {
  const ids = Array.from({ length: 100_000 }, (_none, index) => device(index))
  const tree = buildAudienceTree(ids)
  const proof = proofIn(tree, device(99_999))
  expect(proof.path.length).toBeLessThanOrEqual(17)
  expect(isInAudience(device(99_999), proof, tree.root)).toBe(true)
})

function device(number: number): string {
  return sha256Hex(`device ${number}`)
}

test('a large audience is built in turns, so that others go on meanwhile, and is the same tree', async () => {
  const ids = Array.from({ length: 20_000 }, (_, index) => device(index))
  const built = new AbortController()
  let turns = 0
  const others = (async () => {
    for (; !built.signal.aborted; turns += 1) await setImmediate()
  })()
  const grown = await growAudienceTree(ids)
  built.abort()
  await others
  expect(turns).toBeGreaterThan(5)
  expect(grown.root).toBe(buildAudienceTree(ids).root)
  expect(grown.proofOf(device(77))).toEqual(buildAudienceTree(ids).proofOf(device(77)))
})

function proofIn(tree: ReturnType<typeof buildAudienceTree>, id: string) {
  const proof = tree.proofOf(id)
  if (!proof) throw new Error(`${id} has no proof`)
  return proof
}
