import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { PackageConfig, PackageIndex, PackageManifest, type PackageFile } from '@bascule/contract/estate/oci.ts'
import { chooseModules } from '@bascule/domain/estate/package/choose-modules.ts'
import { chooseVariant } from '@bascule/domain/estate/package/choose-variant.ts'
import { temporaryFolder } from '@bascule/testkit/content/package-folder.ts'
import { expect, test } from 'vitest'
import { expectedLayer } from './check-package.ts'
import { blobPath, openLayoutBlob } from './layout.ts'
import { unpackLayer } from './unpack.ts'

const run = promisify(execFile)
const builder = fileURLToPath(new URL('../../../../demo/package/build-demo-packages.ts', import.meta.url))

interface Built {
  readonly version: string
  readonly layout: string
  readonly indexDigest: string
}

/** Installs as a device with these roles would, without a device: variant, modules, unpacked into one tree. */
async function install({ layout, indexDigest }: Built, roles: readonly string[], into: string): Promise<PackageConfig> {
  const json = async (digest: string): Promise<unknown> => JSON.parse(await readFile(blobPath(layout, digest), 'utf8'))
  const index = PackageIndex.parse(await json(indexDigest))
  const configs: PackageConfig[] = []
  for (const { digest } of index.manifests) {
    const manifest = PackageManifest.parse(await json(digest))
    configs.push(PackageConfig.parse(await json(manifest.config.digest)))
  }
  const facts = { os: process.platform, arch: process.arch }
  const variant = chooseVariant(
    configs.map((config) => ({ ...config.variant, config })),
    facts,
  )
  if (!variant.ok) throw new Error(JSON.stringify(variant.error))
  const { config } = variant.value
  for (const { name } of chooseModules(config.recipe.modules, roles)) {
    const layer = config.layers.find(({ module }) => module === name)
    if (!layer) throw new Error(`no layer for ${name}`)
    const written: { file: PackageFile; parts: Uint8Array[] }[] = []
    const unpacked = await unpackLayer(openLayoutBlob(layout, layer.digest), expectedLayer(config, layer), {
      beginFile: (file) => void written.push({ file, parts: [] }),
      write: (bytes) => void written.at(-1)?.parts.push(Uint8Array.from(bytes)),
      endFile() {},
      link() {},
    })
    expect(unpacked.ok).toBe(true)
    for (const { file, parts } of written) {
      await mkdir(dirname(join(into, file.path)), { recursive: true })
      await writeFile(join(into, file.path), Buffer.concat(parts))
      await chmod(join(into, file.path), file.mode)
    }
  }
  return config
}

test.skipIf(process.platform !== 'linux')(
  'the demo packages are real: two versions pass their health command, the bad one fails it (needs Linux)',
  async () => {
    await using folder = await temporaryFolder()
    const { stdout } = await run(process.execPath, [builder, folder.path])
    const built = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Built)
    expect(built.map(({ version }) => version)).toEqual(['0.27.2', '0.28.2', '0.28.3-bad'])
    for (const one of built) {
      const tree = join(folder.path, `tree-${one.version}`)
      const { recipe } = await install(one, one.version === '0.28.2' ? ['builder'] : ['clerk'], tree)
      const { run: command, args } = recipe.verify.health ?? { run: '', args: [] }
      const health = run(join(tree, command), args, { cwd: tree })
      if (one.version.endsWith('-bad')) await expect(health).rejects.toMatchObject({ code: 1 })
      else expect((await health).stdout).toBe(`esbuild ${one.version} bundles\n`)
      // Only builders get the helper.
      expect(existsSync(join(tree, 'bin/bundle-report'))).toBe(one.version === '0.28.2')
    }
    const tree = join(folder.path, 'tree-0.28.2')
    await writeFile(join(tree, 'in.js'), 'export const answer = 40 + 2\n')
    const report = await run(join(tree, 'bin/bundle-report'), ['in.js', 'out.js'], { cwd: tree })
    expect(report.stdout).toMatch(/^in\.js -> out\.js: \d+ bytes\n$/)
  },
  60_000,
)
