import { createReadStream } from 'node:fs'
import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PackageConfig, PackageIndex, PackageManifest } from '@bascule/contract/estate/oci.ts'
import { temporaryFolder, toolFiles, writeFiles } from '@bascule/testkit/content/package-folder.ts'
import { expect, test } from 'vitest'
import { checkPackage, type BlobSource } from './check-package.ts'
import { unfoldLayoutTar, writeLayoutTar } from './layout-tar.ts'
import { blobPath, writeJsonBlob, type BlobRef } from './layout.ts'
import { packFolder } from './pack-folder.ts'

function sourceOf(layout: string): BlobSource {
  return {
    async stat(digest) {
      const found = await stat(blobPath(layout, digest)).catch(() => undefined)
      return found && { sizeBytes: found.size }
    },
    open: async (digest) => createReadStream(blobPath(layout, digest)),
  }
}

async function packedTool(folder: string) {
  await writeFiles(folder, toolFiles)
  const out = join(folder, 'out')
  const outcome = await packFolder(folder, out)
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error))
  const json = async (digest: string): Promise<unknown> => JSON.parse(await readFile(blobPath(out, digest), 'utf8'))
  const index = PackageIndex.parse(await json(outcome.value.indexDigest))
  const manifest = PackageManifest.parse(await json(index.manifests[0]?.digest ?? ''))
  const config = PackageConfig.parse(await json(manifest.config.digest))
  return { out, digest: outcome.value.indexDigest, index, manifest, config }
}

type Tool = Awaited<ReturnType<typeof packedTool>>

/** Writes the changed documents with right digests all the way up, as an attacker or a wrong tool would. */
async function rewritten(tool: Tool, change: Partial<Pick<Tool, 'index' | 'manifest' | 'config'>>): Promise<string> {
  const put = async (mediaType: string, value: unknown): Promise<BlobRef> =>
    await writeJsonBlob(tool.out, mediaType, value)
  const config = await put(tool.manifest.config.mediaType, change.config ?? tool.config)
  const manifest = await put(tool.index.manifests[0]?.mediaType ?? '', { ...tool.manifest, config, ...change.manifest })
  const manifests = [{ ...tool.index.manifests[0], ...manifest }]
  return (await put(tool.index.mediaType, { ...tool.index, ...change.index, manifests })).digest
}

test('a packed package passes, and names everything it consists of', async () => {
  await using folder = await temporaryFolder()
  const { out, digest } = await packedTool(folder.path)
  const outcome = await checkPackage(sourceOf(out), digest)
  expect(outcome).toMatchObject({ ok: true, value: { name: 'tool', version: '1.2.0', vendor: 'Example' } })
  expect(outcome.ok && outcome.value.blobs).toHaveLength(4)
})

const nowhere = `sha256:${'1'.repeat(64)}`
const lies: [string, (tool: Tool) => Partial<Pick<Tool, 'index' | 'manifest' | 'config'>>, RegExp][] = [
  [
    'a file with another hash',
    ({ config }) => ({ config: { ...config, files: config.files.map((f) => ({ ...f, sha256: '0'.repeat(64) })) } }),
    /^digest-mismatch core\/bin\/tool/,
  ],
  [
    'a missing file',
    ({ config }) => ({ config: { ...config, files: config.files.slice(1) } }),
    /^file-list core\/bin\/tool/,
  ],
  [
    'a file more',
    ({ config }) => ({ config: { ...config, files: [...config.files, { ...config.files[0]!, path: 'more' }] } }),
    /^file-list core\/more is listed but not/,
  ],
  [
    'a file that leaves the folder',
    ({ config }) => ({ config: { ...config, files: [{ ...config.files[0]!, path: '../more' }] } }),
    /^path-escape core\/..\/more leaves/,
  ],
  [
    'a link below a link, which leaves the tree although each of them alone does not',
    ({ config }) => ({
      config: {
        ...config,
        links: [
          { module: 'core', path: 'a/b/out', target: '../..' },
          { module: 'core', path: 'a/b/out/more', target: '../../..' },
        ],
      },
    }),
    /^invalid-field config sha256:\w+ files a\/b\/out\/more lies below a\/b\/out, which is/,
  ],
  [
    'a file where the device keeps its record',
    ({ config }) => ({
      config: { ...config, files: [...config.files, { ...config.files[0]!, path: '.bascule.json' }] },
    }),
    /\.bascule\.json is where a device keeps its own record/,
  ],
  [
    'a chunk table of other bytes',
    ({ config }) => ({
      config: {
        ...config,
        layers: config.layers.map((l) => ({
          ...l,
          chunks: { ...l.chunks, list: [{ ...l.chunks.list[0]!, offset: 1 }] },
        })),
      },
    }),
    /^chunk-table module core/,
  ],
  [
    'a foreign media type',
    ({ manifest }) => ({
      manifest: { ...manifest, layers: [{ ...manifest.layers[0]!, mediaType: 'text/plain' as never }] },
    }),
    /^media-type manifest sha256:\w+ layers.0.mediaType/,
  ],
  [
    'a layer that nobody uploaded',
    ({ manifest, config }) => ({
      manifest: { ...manifest, layers: manifest.layers.map((layer) => ({ ...layer, digest: nowhere })) },
      config: { ...config, layers: config.layers.map((layer) => ({ ...layer, digest: nowhere })) },
    }),
    /^missing-blob sha256:1{64} is missing/,
  ],
  [
    'a module without a layer',
    ({ config }) => ({
      config: { ...config, recipe: { ...config.recipe, modules: config.recipe.modules.slice(1) } },
    }),
    /^invalid-field variant linux-amd64 layers are not one/,
  ],
  [
    'a version that the index does not name',
    ({ index }) => ({ index: { ...index, annotations: {} } }),
    /^invalid-field index annotations do not name tool 1.2.0/,
  ],
  [
    'only some of the variants',
    ({ config }) => ({ config: { ...config, variants: ['linux-amd64', 'linux-arm64'] } }),
    /^invalid-field variant linux-amd64 belongs to the variants/,
  ],
]
test.each(lies)('%s is found', async (_name, lie, sentence) => {
  await using folder = await temporaryFolder()
  const tool = await packedTool(folder.path)
  const change = lie(tool)
  // A changed config keeps the manifest's own reference to it only when the manifest was not changed as well.
  const { config: _old, ...manifest } = change.manifest ?? tool.manifest
  const digest = await rewritten(tool, { ...change, manifest: manifest as Tool['manifest'] })
  const outcome = await checkPackage(sourceOf(tool.out), digest)
  expect(outcome.ok ? '' : outcome.error.map((p) => `${p.rule} ${p.field} ${p.problem}`).join('\n')).toMatch(sentence)
})

test('a blob with other bytes than its digest, or none at all, is found', async () => {
  await using folder = await temporaryFolder()
  const { out, digest, manifest } = await packedTool(folder.path)
  const layer = blobPath(out, manifest.layers[1]?.digest ?? '')
  const bytes = await readFile(layer)
  bytes[bytes.length - 1] = 1
  await writeFile(layer, bytes)
  expect((await checkPackage(sourceOf(out), digest)).ok).toBe(false)
  await truncate(layer, 10)
  expect(await checkPackage(sourceOf(out), digest)).toMatchObject({ ok: false, error: [{ rule: 'size-mismatch' }] })
  expect(await checkPackage(sourceOf(out), `sha256:${'0'.repeat(64)}`)).toMatchObject({
    ok: false,
    error: [{ rule: 'missing-blob' }],
  })
})

test('a layout travels as one tar, byte for byte the same each time', async () => {
  await using folder = await temporaryFolder()
  const { out, digest } = await packedTool(folder.path)
  expect(await writeLayoutTar(out, join(folder.path, 'a.tar'))).toEqual({ ok: true })
  expect(await writeLayoutTar(out, join(folder.path, 'b.tar'))).toEqual({ ok: true })
  expect(await readFile(join(folder.path, 'a.tar'))).toEqual(await readFile(join(folder.path, 'b.tar')))
  expect(await unfoldLayoutTar(join(folder.path, 'a.tar'), join(folder.path, 'back'))).toEqual({ ok: true })
  expect((await checkPackage(sourceOf(join(folder.path, 'back')), digest)).ok).toBe(true)
})

test('a tar that is cut or is something else is no layout', async () => {
  await using folder = await temporaryFolder()
  const { out } = await packedTool(folder.path)
  const tar = join(folder.path, 'a.tar')
  await writeLayoutTar(out, tar)
  await truncate(tar, 3000)
  expect(await unfoldLayoutTar(tar, join(folder.path, 'back'))).toMatchObject({ error: [{ rule: 'not-a-layout' }] })
  await writeFile(tar, 'x'.repeat(5000))
  expect(await unfoldLayoutTar(tar, join(folder.path, 'back2'))).toMatchObject({ error: [{ rule: 'not-a-layout' }] })
})
