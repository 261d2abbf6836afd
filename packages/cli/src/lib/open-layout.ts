import { existsSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unfoldLayoutTar } from '@bascule/content/oci/layout-tar.ts'
import { packFolder } from '@bascule/content/oci/pack-folder.ts'
import { describeProblem } from '@bascule/content/oci/package-problem.ts'
import { specFile } from '@bascule/content/oci/read-spec.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'

export interface OpenLayout extends AsyncDisposable {
  readonly folder: string
}

/** A layout as a folder, from whatever a person has at hand: the layout, its tar, or the folder with `bascule.yaml`. */
export async function openLayout(path: string): Promise<Result<OpenLayout, string>> {
  if (!existsSync(path)) return refuse(`${path} does not exist.`)
  if (existsSync(join(path, 'index.json'))) return ok({ folder: path, [Symbol.asyncDispose]: async () => {} })
  const isFolder = statSync(path).isDirectory()
  if (isFolder && !existsSync(join(path, specFile))) {
    return refuse(`${path} has neither ${specFile} nor index.json.`)
  }
  const folder = await mkdtemp(join(tmpdir(), 'bascule-'))
  const outcome = isFolder ? await packFolder(path, folder) : await unfoldLayoutTar(path, folder)
  const dispose = async () => await rm(folder, { recursive: true, force: true })
  if (outcome.ok) return ok({ folder, [Symbol.asyncDispose]: dispose })
  await dispose()
  return refuse(outcome.error.map(describeProblem).join('\n'))
}
