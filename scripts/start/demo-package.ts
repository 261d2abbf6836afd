import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../lib/root.ts'
import { productLine } from './demo-story.ts'

/** Real work, not a version number: the bundler turns TypeScript into JavaScript that is then looked at. */
const healthCheck = `#!/bin/sh
set -eu
cd "$(dirname "$0")"
printf 'const answer: number = 6 * 7; console.log(answer)' | ./page-builder --loader=ts --minify | grep -q 'console.log'
`

const brokenHealthCheck = `#!/bin/sh
echo 'The template cache is missing' >&2
exit 1
`

export interface DemoPackage {
  readonly version: string
  /** Name of the npm alias that holds the program, without the platform. */
  readonly module: string
  /** Makes a version that installs well and then fails its own health check. */
  readonly broken?: boolean
}

/** Lays out a folder as a person would who packs software for Bascule: `bascule.yaml` and the files. */
export async function writePackageFolder(folder: string, demo: DemoPackage): Promise<void> {
  const bin = join(folder, 'files', 'core', 'bin')
  await mkdir(bin, { recursive: true })
  await copyFile(join(root, 'node_modules', platformModule(demo.module), 'bin', 'esbuild'), join(bin, 'page-builder'))
  await writeFile(join(bin, 'check'), demo.broken ? brokenHealthCheck : healthCheck)
  for (const name of ['page-builder', 'check']) await chmod(join(bin, name), 0o755)
  await writeFile(join(folder, 'bascule.yaml'), recipe(demo.version))
}

function platformModule(module: string): string {
  if (process.platform !== 'linux')
    throw new Error(`The demo has software for Linux only; this is ${process.platform}.`)
  return `${module}-linux-${process.arch}`
}

function recipe(version: string): string {
  return `apiVersion: bascule.dev/package/v1
name: ${productLine.code}
vendor: Alder Furniture
version: ${version}
variants:
  - id: linux-${process.arch}
    when: { os: linux, arch: [${process.arch}] }
    modules: { core: files/core }
install: { type: tree }
verify: { level: 4, health: { run: bin/check, settleSeconds: 1, timeoutSeconds: 20 } }
`
}
