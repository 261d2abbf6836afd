import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packFolder, type PackedPackage } from '@bascule/content/oci/pack-folder.ts'
import { writeLayoutTar } from '@bascule/content/oci/layout-tar.ts'
import { describeProblem } from '@bascule/content/oci/package-problem.ts'

/**
 * Makes the demo packages out of the esbuild binaries that npm installed for this machine: real software, and nothing
 * is fetched. `node demo/package/build-demo-packages.ts <folder>` writes `<folder>/<version>` (OCI layouts) and
 * `<folder>/esbuild-<version>.tar`, and prints one JSON line per package.
 */
export interface DemoPackage extends PackedPackage {
  readonly layout: string
  readonly tar: string
}

interface DemoVersion {
  readonly version: string
  /** Prefix of the npm aliases that bring its binaries. */
  readonly alias: string
  /** What its binary says of itself. */
  readonly program: string
  readonly isBroken: boolean
}

const versions: readonly DemoVersion[] = [
  { version: '0.27.2', alias: 'esbuild-0-27', program: '0.27.2', isBroken: false },
  { version: '0.28.2', alias: 'esbuild-0-28', program: '0.28.2', isBroken: false },
  { version: '0.28.3-bad', alias: 'esbuild-0-28', program: '0.28.3', isBroken: true },
]

const platforms = [
  { id: 'linux-amd64', npm: 'linux-x64', when: '{ os: linux, arch: [amd64] }' },
  { id: 'linux-arm64', npm: 'linux-arm64', when: '{ os: linux, arch: [arm64] }' },
] as const

const here = dirname(fileURLToPath(import.meta.url))

export async function buildDemoPackages(out: string): Promise<DemoPackage[]> {
  const built: DemoPackage[] = []
  for (const version of versions) built.push(await buildOne(version, out))
  return built
}

async function buildOne(demo: DemoVersion, out: string): Promise<DemoPackage> {
  const source = await mkdtemp(join(tmpdir(), 'bascule-demo-'))
  try {
    await writeSource(demo, source)
    const layout = join(out, demo.version)
    await rm(layout, { recursive: true, force: true })
    const packed = await packFolder(source, layout)
    if (!packed.ok) throw new Error(`Packing the demo: ${packed.error.map(describeProblem).join('; ')}`)
    const tar = join(out, `esbuild-${demo.version}.tar`)
    const written = await writeLayoutTar(layout, tar)
    if (!written.ok) throw new Error(`Writing ${tar}: ${written.error.map(describeProblem).join('; ')}`)
    return { ...packed.value, layout, tar }
  } finally {
    await rm(source, { recursive: true, force: true })
  }
}

/** Lays out one version: a core per processor whose binary npm installed, and the tools that all share. */
async function writeSource(demo: DemoVersion, source: string): Promise<void> {
  const variants: string[] = []
  for (const { id, npm, when } of platforms) {
    const binary = binaryOf(`${demo.alias}-${npm}`)
    if (binary === undefined) continue
    await mkdir(join(source, id, 'bin'), { recursive: true })
    await cp(demo.isBroken ? join(here, 'files/broken-esbuild') : binary, join(source, id, 'bin/esbuild'))
    await cp(join(here, 'files/health'), join(source, id, 'health'), { recursive: true })
    variants.push(`{ id: ${id}, when: ${when}, modules: { core: ${id}, tools: tools } }`)
  }
  if (variants.length === 0) {
    throw new Error(
      'There is no esbuild binary for this machine. The demo runs on Linux with an x64 or arm64 processor.',
    )
  }
  await cp(join(here, 'files/tools'), join(source, 'tools/bin'), { recursive: true })
  const template = await readFile(join(here, 'bascule.yaml'), 'utf8')
  const yaml = template
    .replaceAll('VERSION', demo.version)
    .replaceAll('PROGRAM', demo.program)
    .replaceAll('VARIANTS', `[${variants.join(', ')}]`)
  await writeFile(join(source, 'bascule.yaml'), yaml)
}

function binaryOf(npmPackage: string): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${npmPackage}/package.json`)), 'bin/esbuild')
  } catch {
    // npm installs only the binary of this machine's processor; the other variant is left out.
    return undefined
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const out = resolve(process.argv[2] ?? 'data/demo/packages')
  await mkdir(out, { recursive: true })
  for (const built of await buildDemoPackages(out)) process.stdout.write(`${JSON.stringify(built)}\n`)
}
