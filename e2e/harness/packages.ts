import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buildDemoPackages } from '#demo/package/build-demo-packages.ts'
import type { DemoPackage } from '#demo/package/build-demo-packages.ts'
import { root } from '#scripts/lib/root.ts'

/** Real software: two published versions of one program, and a third that is intact and fails its health check. */
export interface DemoPackages {
  readonly old: DemoPackage
  readonly new: DemoPackage
  readonly bad: DemoPackage
}

let built: Promise<DemoPackages> | undefined

/** Packs the demo's software once for all journeys of a run. */
export async function demoPackages(): Promise<DemoPackages> {
  built ??= build()
  return await built
}

async function build(): Promise<DemoPackages> {
  const folder = join(root, '.cache', 'e2e-packages')
  await mkdir(folder, { recursive: true })
  const [old, next, bad] = await buildDemoPackages(folder)
  if (!old || !next || !bad) throw new Error('The demo has no longer an old, a new and a bad version.')
  return { old, new: next, bad }
}
