import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
}

/** An empty folder that is gone with its variable. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'bascule-'))
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) }
}

/** A valid `bascule.yaml` of the package "tool": module core for everybody, module extras for the role builder. */
export const toolYaml = `apiVersion: bascule.dev/package/v1
name: tool
vendor: Example
version: 1.2.0
variants:
  - id: linux-amd64
    when: { os: linux, arch: [amd64] }
    modules: { core: files/core, extras: files/extras }
modules:
  extras: { roles: [builder] }
install: { type: tree }
verify: { level: 4, health: { run: bin/tool, args: [--check], settleSeconds: 1, timeoutSeconds: 5 } }
`

export const toolFiles: Readonly<Record<string, string>> = {
  'bascule.yaml': toolYaml,
  'files/core/bin/tool': '#!/bin/sh\nexit 0\n',
  'files/core/share/readme.txt': 'Read me.\n',
  'files/extras/bin/helper': '#!/bin/sh\nexec tool "$@"\n',
}

/** Writes files below a folder. What begins with `#!` becomes executable. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    const isScript = typeof content === 'string' && content.startsWith('#!')
    await writeFile(join(folder, path), content, { mode: isScript ? 0o755 : 0o644 })
  }
}
