import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

import { copyFile } from './copy-file.ts'
import type { Manifest } from './manifest.ts'

type DataFile = Manifest['files'][number]

const digestName = /^[0-9a-f]{64}$/

/**
 * Copies what the data folder holds beside the database: blobs, the keys and the log of the signer, the session secret.
 * Blobs are immutable and lie on the disk before a row names them, so a copy made after the snapshot has every blob
 * that the snapshot knows. Throws when a blob is not what its name says: a backup would only hide that.
 */
export async function saveDataFiles(dataFolder: string, folder: string): Promise<DataFile[]> {
  const saved: DataFile[] = []
  for (const path of await listDataFiles(dataFolder)) {
    const mode = (await stat(join(dataFolder, path))).mode & 0o777
    const measure = await copyFile(join(dataFolder, path), join(folder, path), mode)
    if (path.startsWith('blobs/') && !path.endsWith(measure.sha256)) {
      throw new Error(`The blob ${path} is damaged on the disk: its content has the digest ${measure.sha256}`)
    }
    saved.push({ path, mode, ...measure })
  }
  return saved
}

async function listDataFiles(dataFolder: string): Promise<readonly string[]> {
  const blobs = await listFiles(dataFolder, 'blobs')
  const signer = await listFiles(dataFolder, 'signer')
  const secret = existsSync(join(dataFolder, 'secret')) ? ['secret'] : []
  return [
    // Other files there are uploads under way.
    ...blobs.filter((path) => digestName.test(path.slice(path.lastIndexOf('/') + 1))),
    ...signer.filter((path) => !path.includes('bascule.lock')),
    ...secret,
  ].sort()
}

async function listFiles(dataFolder: string, name: string): Promise<readonly string[]> {
  const root = join(dataFolder, name)
  if (!existsSync(root)) return []
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dataFolder, join(entry.parentPath, entry.name)).split(sep).join('/'))
}
