import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { AssignmentCustom } from '@bascule/contract/device/protocol.ts'
import type { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { packFolder } from '@bascule/content/oci/pack-folder.ts'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'

/** A release as the device sees it, with all its blobs and what its tree must look like afterwards. */
export interface TestRelease {
  readonly version: string
  readonly manifest: ReleaseManifest
  readonly manifestBytes: Buffer
  readonly manifestSha256: string
  readonly blobs: ReadonlyMap<string, Buffer>
  /** SHA-256 per path for a device in the role sales; links as `-> target`. */
  readonly tree: Readonly<Record<string, string>>
}

export interface ReleaseShape {
  readonly version: string
  readonly counter: number
  readonly isHealthy?: boolean
  readonly dataBytes?: number
  /** Another kind of installer than this agent has, written into the recipe after packing. */
  readonly installer?: string
  readonly change?: Partial<ReleaseManifest>
}

export const line = 'tools'
export const packageName = 'tool'

/** Packs a small real package: an executable, some data, a module for sales, and a health command. */
export async function makeRelease({
  version,
  counter,
  isHealthy = true,
  dataBytes = 150_000,
  installer,
  change,
}: ReleaseShape): Promise<TestRelease> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bascule-release-'))
  const source = path.join(folder, 'source')
  const files = {
    'core/bin/tool': `#!/bin/sh\necho tool ${version}\nexit ${isHealthy ? 0 : 3}\n`,
    'core/share/data.bin': noise(version, dataBytes),
    'core/share/notes/readme.txt': `Notes of ${version}\n`,
    'extra/plugins/sales.txt': `Sales of ${version}\n`,
    'bascule.yaml': yamlOf(version),
  }
  writeFiles(source, files)
  const layout = path.join(folder, 'layout')
  const packed = await packFolder(source, layout)
  if (!packed.ok) throw new Error(JSON.stringify(packed.error))
  const blobs = blobsOf(path.join(layout, 'blobs', 'sha256'))
  rmSync(folder, { recursive: true })
  const packedHex = packed.value.indexDigest.replace('sha256:', '')
  const indexHex = installer === undefined ? packedHex : withInstaller(blobs, packedHex, installer)
  const manifest: ReleaseManifest = {
    _type: 'bascule-release',
    specVersion: 1,
    productLine: line,
    release: `r${counter}`,
    version,
    counter,
    packages: [
      {
        name: packageName,
        version,
        index: { digest: `sha256:${indexHex}`, sizeBytes: blobs.get(indexHex)?.length ?? 0 },
        modules: [],
      },
    ],
    verifyLevel: 4,
    backoutFrom: [],
    autoBackout: true,
    offlineInstall: false,
    phases: [{ id: 'p1', order: 1, audienceRoot: null, permille: 1000, notBefore: null, notAfter: null }],
    deadline: null,
    ...change,
  }
  const manifestBytes = Buffer.from(canonicalJson(manifest))
  const manifestSha256 = sha256Hex(manifestBytes)
  blobs.set(manifestSha256, manifestBytes)
  return { version, manifest, manifestBytes, manifestSha256, blobs, tree: treeOf(files) }
}

export function customOf(release: TestRelease, job: string, change: Partial<AssignmentCustom> = {}): AssignmentCustom {
  return {
    job,
    action: 'install',
    release: release.manifest.release,
    productLine: line,
    rollout: 1,
    phase: 1,
    verifyLevel: 4,
    activation: 'current',
    attributes: { site: 'leeds', roles: ['sales'] },
    ...change,
  }
}

function yamlOf(version: string): string {
  return `apiVersion: bascule.dev/package/v1
name: ${packageName}
vendor: Example
version: ${version}
variants:
  - id: linux
    when: { os: linux }
    modules: { core: core, extra: extra }
modules:
  extra: { roles: [sales] }
install: { type: tree }
verify: { level: 4, health: { run: bin/tool, timeoutSeconds: 5 } }
`
}

/** Writes another installer into the recipe and everything that names it by digest; answers the new index. */
function withInstaller(blobs: Map<string, Buffer>, indexHex: string, type: string): string {
  const change = (hex: string, edit: (text: string) => string): string => {
    const bytes = Buffer.from(edit(blobs.get(hex)?.toString('utf8') ?? ''))
    blobs.set(sha256Hex(bytes), bytes)
    return sha256Hex(bytes)
  }
  const manifestHex = refIn(blobs, indexHex, 'manifests')
  const configHex = refIn(blobs, manifestHex, 'config')
  const config = change(configHex, (text) => text.replace('"type":"tree"', `"type":"${type}"`))
  const sizes = (text: string, hex: string, next: string) =>
    text.replace(hex, next).replace(`"size":${blobs.get(hex)?.length}`, `"size":${blobs.get(next)?.length}`)
  const manifest = change(manifestHex, (text) => sizes(text, configHex, config))
  return change(indexHex, (text) => sizes(text, manifestHex, manifest))
}

/** Digest of the first thing that a document names under `key`. */
function refIn(blobs: ReadonlyMap<string, Buffer>, hex: string, key: 'manifests' | 'config'): string {
  const document = JSON.parse(blobs.get(hex)?.toString('utf8') ?? '{}') as Record<
    string,
    { digest: string }[] | { digest: string }
  >
  const ref = [document[key] ?? []].flat()[0]
  return ref?.digest.replace('sha256:', '') ?? ''
}

function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    const isProgram = typeof content === 'string' && content.startsWith('#!')
    writeFileSync(file, content, { mode: isProgram ? 0o755 : 0o644 })
  }
}

/** Bytes that look like nothing and are the same in every run. */
function noise(seed: string, sizeBytes: number): Buffer {
  const parts: Buffer[] = []
  for (let n = 0; n * 32 < sizeBytes; n += 1) parts.push(createHash('sha256').update(`${seed} ${n}`).digest())
  return Buffer.concat(parts).subarray(0, sizeBytes)
}

function blobsOf(folder: string): Map<string, Buffer> {
  return new Map(readdirSync(folder).map((hex) => [hex, readFileSync(path.join(folder, hex))]))
}

function treeOf(files: Readonly<Record<string, string | Uint8Array>>): Record<string, string> {
  const content = Object.entries(files).filter(([name]) => name !== 'bascule.yaml')
  return Object.fromEntries(content.map(([name, bytes]) => [name.replace(/^[a-z]+\//, ''), sha256Hex(bytes)]))
}
