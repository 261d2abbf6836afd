import { execFileSync } from 'node:child_process'
import { chmod, readFile, rename, rm, symlink, truncate, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { PackageConfig, PackageIndex, PackageManifest } from '@bascule/contract/estate/oci.ts'
import { temporaryFolder, toolFiles, toolYaml, writeFiles } from '@bascule/testkit/content/package-folder.ts'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { blobPath, digestOf, readLayout } from './layout.ts'
import { packFolder, type PackedPackage } from './pack-folder.ts'
import { describeProblem } from './package-problem.ts'

async function packed(folder: string, layout: string): Promise<PackedPackage> {
  const outcome = await packFolder(folder, layout)
  if (!outcome.ok) throw new Error(outcome.error.map(describeProblem).join('\n'))
  return outcome.value
}

/** What pack says against the tool with these files changed; undefined takes one away. */
async function problemsWith(
  change: Readonly<Record<string, string | undefined>>,
  prepare: (folder: string) => Promise<void> = async () => {},
): Promise<string[]> {
  await using folder = await temporaryFolder()
  const files = Object.entries({ ...toolFiles, ...change }).filter((entry) => entry[1] !== undefined)
  await writeFiles(folder.path, Object.fromEntries(files) as Record<string, string>)
  await prepare(folder.path)
  const outcome = await packFolder(folder.path, join(folder.path, 'out'), { layerLimitBytes: 100_000 })
  await expect(readFile(join(folder.path, 'out', 'index.json'))).rejects.toThrow(/ENOENT/)
  return outcome.ok ? [] : outcome.error.map((problem) => `${problem.rule}: ${describeProblem(problem)}`)
}

const readJson = async (layout: string, digest: string): Promise<unknown> =>
  JSON.parse(await readFile(blobPath(layout, digest), 'utf8'))

test('a folder becomes an index, a manifest per variant, a recipe and a layer per module', async () => {
  await using folder = await temporaryFolder()
  await writeFiles(folder.path, toolFiles)
  const out = join(folder.path, 'out')
  const outcome = await packed(folder.path, out)

  const index = PackageIndex.parse(await readJson(out, outcome.indexDigest))
  expect(index.manifests.map(({ platform }) => platform)).toEqual([{ architecture: 'amd64', os: 'linux' }])
  const manifest = PackageManifest.parse(await readJson(out, index.manifests[0]?.digest ?? ''))
  const config = PackageConfig.parse(await readJson(out, manifest.config.digest))
  expect(manifest.layers.map(({ digest }) => digest)).toEqual(config.layers.map(({ digest }) => digest))
  expect(config.recipe.modules).toEqual([
    { name: 'core', roles: ['*'], default: true },
    { name: 'extras', roles: ['builder'], default: false },
  ])
  expect(config.files.map(({ module, path, mode }) => [module, path, mode.toString(8)])).toEqual([
    ['core', 'bin/tool', '755'],
    ['core', 'share/readme.txt', '644'],
    ['extras', 'bin/helper', '755'],
  ])
  expect(config.files[1]?.sha256).toBe(digestOf('Read me.\n').slice('sha256:'.length))
  expect(outcome).toMatchObject({ name: 'tool', version: '1.2.0', fileCount: 3 })
  expect(await readLayout(out)).toMatchObject({ ok: true, value: { name: 'tool', version: '1.2.0' } })
})

test('a layer is a tar that other programs read', async () => {
  await using folder = await temporaryFolder()
  const long = `${'deep/'.repeat(40)}file.txt`
  await writeFiles(folder.path, { ...toolFiles, [`files/core/${long}`]: 'x' })
  await symlink('tool', join(folder.path, 'files/core/bin/alias'))
  const out = join(folder.path, 'out')
  const { indexDigest } = await packed(folder.path, out)
  const index = PackageIndex.parse(await readJson(out, indexDigest))
  const manifest = PackageManifest.parse(await readJson(out, index.manifests[0]?.digest ?? ''))
  const listing = execFileSync('tar', [
    '--numeric-owner',
    '--utc',
    '-tvf',
    blobPath(out, manifest.layers[0]?.digest ?? ''),
  ])
  const lines = listing.toString().trim().split('\n')
  expect(lines).toHaveLength(4)
  expect(lines[0]).toMatch(/^lrwxrwxrwx 0\/0 +0 1970-01-01 00:00 bin\/alias -> tool$/)
  expect(lines[1]).toMatch(/^-rwxr-xr-x 0\/0 +17 1970-01-01 00:00 bin\/tool$/)
  expect(lines[2]).toContain(long)
})

const someFiles = fc.dictionary(fc.stringMatching(/^[a-z]{1,4}(\/f[a-z]{1,3})?$/), fc.uint8Array({ maxLength: 3000 }), {
  minKeys: 1,
  maxKeys: 6,
})

test('the same files give the same digest, whatever their order, times and owner bits', async () => {
  await fc.assert(
    fc.asyncProperty(someFiles, fc.array(fc.nat(), { minLength: 6, maxLength: 6 }), async (files, chance) => {
      const names = Object.keys(files).filter(
        (name) => !Object.keys(files).some((other) => other.startsWith(`${name}/`)),
      )
      const digests: string[] = []
      for (const order of [names, names.toReversed()]) {
        await using folder = await temporaryFolder()
        const shown = order.map((name) => [`files/core/data/${name}`, files[name] ?? new Uint8Array()] as const)
        await writeFiles(folder.path, { ...Object.fromEntries(shown), ...toolFiles })
        for (const [n, [path]] of shown.entries()) {
          if (order === names) continue
          await utimes(join(folder.path, path), chance[n] ?? 0, 1)
          await chmod(join(folder.path, path), [0o600, 0o640, 0o666, 0o604][(chance[n] ?? 0) % 4] ?? 0o600)
        }
        digests.push((await packed(folder.path, join(folder.path, 'out'))).indexDigest)
      }
      expect(digests[0]).toBe(digests[1])
    }),
    { numRuns: 25 },
  )
})

test('the digest of the tool is the one it always was', async () => {
  await using folder = await temporaryFolder()
  await writeFiles(folder.path, toolFiles)
  const { indexDigest } = await packed(folder.path, join(folder.path, 'out'))
  // A change of this line means that packages packed before can no longer be packed to the same digest.
  expect(indexDigest).toBe('sha256:dfd503e00fdd62ffaef3fef906bb659fe3be021238faa1e4eb659e03c4b01af5')
})

test('one changed byte gives another digest', async () => {
  await using folder = await temporaryFolder()
  await writeFiles(folder.path, toolFiles)
  const first = await packed(folder.path, join(folder.path, 'one'))
  await writeFiles(folder.path, { 'files/core/share/readme.txt': 'Read me!\n' })
  const second = await packed(folder.path, join(folder.path, 'two'))
  expect(second.indexDigest).not.toBe(first.indexDigest)
})

test('what does not pack says where and why, and leaves nothing behind', async () => {
  expect(await problemsWith({ 'bascule.yaml': 'name: [tool\n' })).toEqual([
    expect.stringMatching(/^broken-yaml: bascule.yaml:\d+:\d+ /),
  ])
  expect(await problemsWith({ 'bascule.yaml': toolYaml.replace('level: 4', 'level: 9') })).toEqual([
    expect.stringMatching(/^invalid-field: bascule.yaml:\d+:\d+ verify.level /),
  ])
  expect(await problemsWith({ 'bascule.yaml': undefined })).toEqual([
    expect.stringMatching(/^missing-file: .*bascule.yaml is missing/),
  ])
  expect(await problemsWith({ 'bascule.yaml': toolYaml.replace('files/extras', 'files/none') })).toEqual([
    'missing-file: files/none is missing, module extras needs it',
  ])
  expect(await problemsWith({ 'bascule.yaml': toolYaml.replace('files/core', '../core') })).toEqual([
    expect.stringMatching(/^invalid-field: .* variants.0.modules.core "..\/core" leaves the folder/),
  ])
  expect(await problemsWith({ 'files/extras/bin/tool': 'again' })).toEqual([
    'duplicate-file: extras/bin/tool is in module core too',
  ])
  expect(await problemsWith({ 'files/extras/bin': 'a file', 'files/extras/bin/helper': undefined })).toEqual([
    'duplicate-file: extras/bin is a folder in another module',
  ])
  expect(await problemsWith({ 'bascule.yaml': toolYaml.replace('run: bin/tool', 'run: bin/gone') })).toEqual([
    'missing-file: bin/gone is named in bascule.yaml but not in variant linux-amd64',
  ])
  expect(await problemsWith({ 'bascule.yaml': toolYaml.replace('run: bin/tool', 'run: bin/helper') })).toEqual([
    expect.stringMatching(/lies in module extras, which not everybody gets/),
  ])
  expect(await problemsWith({ 'files/core/bin/tool': 'no script' })).toEqual([
    'not-executable: bin/tool is the health command but not executable',
  ])
})

test('nothing outside the folder and nothing special is packed', async () => {
  const link = (target: string, path: string) => async (folder: string) => await symlink(target, join(folder, path))
  expect(await problemsWith({}, link('../../../secret', 'files/core/bin/out'))).toEqual([
    'link-escape: core/bin/out is a link to ../../../secret, outside the module',
  ])
  expect(await problemsWith({}, link('/etc/passwd', 'files/core/out'))).toEqual([
    'link-escape: core/out is a link to /etc/passwd, outside the module',
  ])
  expect(await problemsWith({}, link('gone', 'files/core/out'))).toEqual([
    'missing-file: core/out is a link to gone, which is not in the module',
  ])
  const moved = async (folder: string) => {
    await using elsewhere = await temporaryFolder()
    await rename(join(folder, 'files/extras'), join(elsewhere.path, 'extras'))
    await symlink(join(elsewhere.path, 'extras'), join(folder, 'files/extras'))
  }
  expect(await problemsWith({}, moved)).toEqual(['path-escape: files/extras leads out of the package folder'])
  const pipe = async (folder: string) => void execFileSync('mkfifo', [join(folder, 'files/core/pipe')])
  expect(await problemsWith({}, pipe)).toEqual([
    'special-file: core/pipe is a device, pipe or socket and cannot be packed',
  ])
  const emptied = async (folder: string) => await rm(join(folder, 'files/extras/bin'), { recursive: true })
  expect(await problemsWith({}, emptied)).toEqual([
    'empty-module: files/extras has no files, so module extras is empty',
  ])
  const grown = async (folder: string) => await truncate(join(folder, 'files/core/share/readme.txt'), 100_001)
  expect(await problemsWith({}, grown)).toEqual([
    expect.stringMatching(/^over-size: variant linux-amd64 module core has 2 files/),
  ])
})
