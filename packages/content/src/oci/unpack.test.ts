import { createHash } from 'node:crypto'
import type { PackageFile, PackageLink } from '@bascule/contract/estate/oci.ts'
import * as fc from 'fast-check'
import { pack, type Header } from 'tar-stream'
import { expect, test } from 'vitest'
import { unpackLayer, type LayerWriter } from './unpack.ts'

type Entry = Partial<Header> & { name: string; content?: string }

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack()
  for (const { content = '', ...header } of entries) tar.entry(header, content)
  tar.finalize()
  return Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Buffer>))
}

function file(path: string, content: string): PackageFile {
  const sha256 = createHash('sha256').update(content).digest('hex')
  return { module: 'core', path, mode: 0o644, sizeBytes: content.length, sha256 }
}

function recorder(): LayerWriter & { readonly done: string[] } {
  const done: string[] = []
  let content = ''
  return {
    done,
    beginFile: () => void (content = ''),
    write: (bytes) => void (content += Buffer.from(bytes).toString()),
    endFile: ({ path }) => void done.push(`${path}=${content}`),
    link: ({ path, target }) => void done.push(`${path}->${target}`),
  }
}

async function unpack(tar: Buffer, files: PackageFile[], links: PackageLink[] = [], sizeBytes = tar.length) {
  const writer = recorder()
  const parts = async function* () {
    for (let at = 0; at < tar.length; at += 700) yield tar.subarray(at, at + 700)
  }
  const outcome = await unpackLayer(parts(), { module: 'core', sizeBytes, files, links }, writer)
  return { done: writer.done, problem: outcome.ok ? undefined : outcome.error }
}

const hello = file('bin/a', 'hello')

test('files and links arrive as listed', async () => {
  const tar = await tarOf([
    { name: 'bin/a', content: 'hello' },
    { name: 'bin/b', type: 'symlink', linkname: 'a' },
  ])
  const { done, problem } = await unpack(tar, [hello], [{ module: 'core', path: 'bin/b', target: 'a' }])
  expect(problem).toBeUndefined()
  expect(done).toEqual(['bin/a=hello', 'bin/b->a'])
})

const a: Entry = { name: 'bin/a', content: 'hello' }
const bad: [string, Entry[], PackageFile[], PackageLink[], string][] = [
  ['an absolute path', [{ name: '/bin/a', content: 'hello' }], [hello], [], 'path-escape'],
  ['a path that leaves', [{ name: '../a', content: 'hello' }], [hello], [], 'path-escape'],
  ['a listed path that leaves', [a], [file('../a', 'hello')], [], 'path-escape'],
  ['a file that is not listed', [a, { name: 'b' }], [hello], [], 'file-list'],
  ['a file twice', [a, a], [hello], [], 'file-list'],
  ['a listed file that is missing', [a], [hello, file('b', '')], [], 'file-list'],
  ['other bytes', [{ name: 'bin/a', content: 'jello' }], [hello], [], 'digest-mismatch'],
  ['another length', [{ name: 'bin/a', content: 'hello!' }], [hello], [], 'size-mismatch'],
  ['a device', [{ name: 'bin/a', type: 'character-device' }], [hello], [], 'special-file'],
  ['a hard link', [{ name: 'bin/a', type: 'link', linkname: '/etc/passwd' }], [hello], [], 'special-file'],
  ['a folder entry', [{ name: 'bin', type: 'directory' }], [hello], [], 'special-file'],
  ['a link in place of a file', [{ name: 'bin/a', type: 'symlink', linkname: '/etc' }], [hello], [], 'file-list'],
  [
    'a listed link out of the tree',
    [{ name: 'l', type: 'symlink', linkname: '../x' }],
    [],
    [{ module: 'core', path: 'l', target: '../x' }],
    'link-escape',
  ],
  [
    'a link to somewhere else than listed',
    [{ name: 'l', type: 'symlink', linkname: '../x' }],
    [],
    [{ module: 'core', path: 'l', target: 'x' }],
    'file-list',
  ],
]
test.each(bad)('%s is refused', async (_name, entries, files, links, rule) => {
  expect((await unpack(await tarOf(entries), files, links)).problem?.rule).toBe(rule)
})

test('a cut tar and more bytes than declared are refused', async () => {
  const tar = await tarOf([a])
  expect((await unpack(tar.subarray(0, 514), [hello], [], tar.length)).problem?.rule).toBe('file-list')
  expect((await unpack(tar, [hello], [], tar.length - 1)).problem?.rule).toBe('over-size')
})

test('a failing writer or source comes out unchanged', async () => {
  const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  const tar = await tarOf([a])
  const expected = { module: 'core', sizeBytes: tar.length, files: [hello], links: [] }
  const failing = {
    ...recorder(),
    write: () => {
      throw full
    },
  }
  await expect(unpackLayer([tar] as unknown as AsyncIterable<Buffer>, expected, failing)).rejects.toBe(full)
  const cut = async function* () {
    yield tar.subarray(0, 600)
    throw full
  }
  await expect(unpackLayer(cut(), expected, recorder())).rejects.toThrow('no space left')
})

test('no damage to a layer gets other bytes past the list of files', async () => {
  const tar = await tarOf([a, { name: 'c', content: 'x'.repeat(2000) }])
  const files = [hello, file('c', 'x'.repeat(2000))]
  const good = (await unpack(tar, files)).done
  await fc.assert(
    fc.asyncProperty(fc.nat(tar.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const damaged = Buffer.from(tar)
      damaged[at] = (damaged[at] ?? 0) ^ flip
      const { done } = await unpack(damaged, files)
      for (const entry of done) expect(good).toContain(entry)
    }),
  )
})
