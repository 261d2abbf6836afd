import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PackageConfig } from '@bascule/contract/estate/oci.ts'
import { expectedLayer } from '@bascule/content/oci/check-package.ts'
import { expect, onTestFinished, test } from 'vitest'
import { ContentError } from '#/engine/failure.ts'
import { contentOf } from '#/engine/package-content.ts'
import { makeRelease, packageName, type TestRelease } from '#/testing/test-release.ts'
import type { Installer, StageRequest, VersionContent } from './installer.ts'

const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/**
 * What every installer must keep, whatever it installs with. A new kind of installer runs this suite unchanged:
 * `describeInstaller('deb', (root) => debInstaller(root))`.
 */
export function describeInstaller(type: string, make: (root: string) => Installer): void {
  const folder = (): string => {
    const created = mkdtempSync(path.join(tmpdir(), `bascule-${type}-`))
    onTestFinished(() => {
      rmSync(created, { recursive: true, force: true })
    })
    return created
  }

  async function aStage(at: string, version: string, modules = ['core', 'extra']) {
    const release = await makeRelease({ version, counter: 1, dataBytes: 10_000 })
    return stageOf(release, at, modules)
  }

  test(`${type}: a version is not active before it is activated, and whole once it is staged`, async () => {
    const root = folder()
    const installer = make(root)
    const { request, content } = await aStage(root, '1.0.0')
    await installer.stage(request)
    expect(installer.active(packageName, 'current')).toBeNull()
    expect(installer.inspect(packageName, request.folder, content).problems).toEqual([])
    expect(installer.versions()).toEqual([{ package: packageName, folder: request.folder }])
  })

  test(`${type}: every call may be repeated and changes nothing the second time`, async () => {
    const root = folder()
    const installer = make(root)
    const { request, content } = await aStage(root, '1.0.0')
    await installer.stage(request)
    const first = installer.inspect(packageName, request.folder, content)
    await installer.stage(request)
    for (const _again of [1, 2]) installer.activate(packageName, 'current', request.folder)
    expect(installer.inspect(packageName, request.folder, content)).toEqual(first)
    expect(installer.active(packageName, 'current')).toBe(request.folder)
    for (const _again of [1, 2]) installer.activate(packageName, 'current', null)
    expect(installer.active(packageName, 'current')).toBeNull()
  })

  test(`${type}: two versions are active side by side under two names, and one name moves alone`, async () => {
    const root = folder()
    const installer = make(root)
    const one = (await aStage(root, '1.0.0')).request
    const two = (await aStage(root, '2.0.0')).request
    await installer.stage(one)
    await installer.stage(two)
    installer.activate(packageName, 'current', one.folder)
    installer.activate(packageName, 'next', two.folder)
    expect([installer.active(packageName, 'current'), installer.active(packageName, 'next')]).toEqual([
      one.folder,
      two.folder,
    ])
    installer.activate(packageName, 'current', two.folder)
    expect(installer.active(packageName, 'current')).toBe(two.folder)
  })

  test(`${type}: links that only together lead out of the tree write nothing there`, async () => {
    const root = folder()
    const outside = path.join(root, 'outside')
    mkdirSync(outside)
    const installer = make(root)
    const { request } = await aStage(root, '1.0.0')
    const links = [
      { module: 'core', path: 'a/b/c/d/up', target: '../../../..' },
      { module: 'core', path: 'a/b/c/d/up/out', target: '../../../outside' },
    ]
    const file = {
      module: 'core',
      path: 'a/b/c/d/up/out/evil',
      mode: 0o644 as const,
      sizeBytes: 0,
      sha256: emptySha256,
    }
    const tar = tarOf([...links.map((link) => ({ name: link.path, target: link.target })), { name: file.path }])
    const layer = path.join(root, '.evil.tar')
    writeFileSync(layer, tar)
    const expected = { module: 'core', sizeBytes: tar.length, files: [file], links }
    await expect(installer.stage({ ...request, layers: [{ path: layer, expected }] })).rejects.toThrow(ContentError)
    expect(readdirSync(outside)).toEqual([])
    expect(installer.versions()).toEqual([])
  })

  test(`${type}: one changed byte, a missing file and lost rights are found by name`, async () => {
    const root = folder()
    const installer = make(root)
    const { request, content } = await aStage(root, '1.0.0')
    await installer.stage(request)
    const at = installer.pathOf(packageName, request.folder)
    const data = readFileSync(path.join(at, 'share/data.bin'))
    data[17] = (data[17] ?? 0) ^ 1
    writeFileSync(path.join(at, 'share/data.bin'), data)
    rmSync(path.join(at, 'share/notes/readme.txt'))
    rmSync(path.join(at, 'bin/tool'))
    writeFileSync(path.join(at, 'bin/tool'), '#!/bin/sh\necho tool 1.0.0\nexit 0\n', { mode: 0o644 })
    const { problems } = installer.inspect(packageName, request.folder, content)
    expect(problems.toSorted()).toEqual([
      'bin/tool has other rights',
      'share/data.bin has other content',
      'share/notes/readme.txt is missing',
    ])
    expect(installer.detect(packageName, request.folder, content)).toEqual(['share/notes/readme.txt is missing'])
  })

  test(`${type}: a device gets the modules of its roles and no file of another`, async () => {
    const root = folder()
    const installer = make(root)
    const { request, content } = await aStage(root, '1.0.0', ['core'])
    await installer.stage(request)
    expect(content.files.map((file) => file.module)).not.toContain('extra')
    expect(installer.inspect(packageName, request.folder, content)).toMatchObject({ problems: [], fileCount: 3 })
    expect(readdirSync(installer.pathOf(packageName, request.folder))).not.toContain('plugins')
  })

  test(`${type}: tidying removes what nothing needs and never what is active`, async () => {
    const root = folder()
    const installer = make(root)
    const [one, two, three] = await Promise.all(
      ['1.0.0', '2.0.0', '3.0.0'].map(async (v) => (await aStage(root, v)).request),
    )
    for (const request of [one, two, three]) if (request) await installer.stage(request)
    installer.activate(packageName, 'current', two?.folder ?? null)
    installer.tidy(packageName, [three?.folder ?? ''])
    const left = installer.versions().map((entry) => entry.folder)
    expect(left.toSorted()).toEqual([two?.folder, three?.folder])
  })
}

/** Layers on disk and the request to stage them, as the engine would make it. */
/** A tar of links and empty files, as a packer never writes it. */
function tarOf(entries: readonly { readonly name: string; readonly target?: string }[]): Buffer {
  const headers = entries.map(({ name, target }) => {
    const header = Buffer.alloc(512)
    header.write(name, 0)
    header.write('0000644\0', 100)
    header.write('00000000000\0', 124)
    header.write('        ', 148)
    header.write(target === undefined ? '0' : '2', 156)
    header.write(target ?? '', 157)
    header.write('ustar\x0000', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return header
  })
  return Buffer.concat([...headers, Buffer.alloc(1024)])
}

function stageOf(
  release: TestRelease,
  root: string,
  modules: readonly string[],
): { request: StageRequest; content: VersionContent } {
  const config = configOf(release)
  const content = contentOf(config, modules)
  const layers = config.layers
    .filter((layer) => modules.includes(layer.module))
    .map((layer) => {
      const hex = layer.digest.replace('sha256:', '')
      const file = path.join(root, `.${hex}`)
      writeFileSync(file, release.blobs.get(hex) ?? '')
      return { path: file, expected: expectedLayer(config, layer) }
    })
  const { name, version } = config.package
  const record = {
    format: 1 as const,
    package: name,
    version,
    index: `sha256:${'a'.repeat(64)}`,
    variant: config.variant.id,
    modules,
    installer: 'tree',
    productLine: 'tools',
    release: 'r1',
    counter: 1,
    manifestSha256: 'b'.repeat(64),
    generation: 1,
    stagedAt: '2026-01-01T00:00:00Z',
    ...content,
  }
  return { request: { package: name, folder: `${version}-12345678`, layers, record }, content }
}

function configOf(release: TestRelease): PackageConfig {
  for (const bytes of release.blobs.values()) {
    if (bytes[0] !== 0x7b) continue
    const parsed = PackageConfig.safeParse(JSON.parse(bytes.toString('utf8')))
    if (parsed.success) return parsed.data
  }
  throw new Error('The release has no recipe')
}
