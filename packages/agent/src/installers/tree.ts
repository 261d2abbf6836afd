import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { unpackLayer, type LayerWriter } from '@bascule/content/oci/unpack.ts'
import { recordPath } from '@bascule/domain/estate/package/tree-path.ts'
import {
  close,
  createNew,
  link,
  makeFolder,
  makeFolders,
  remove,
  removeTree,
  rename,
  syncFile,
  syncFolder,
  writeAt,
} from '#/durable.ts'
import { ContentError } from '#/engine/failure.ts'
import { hashFile, piecesOf } from '#/store/hash-file.ts'
import { inspectTree } from './inspect-tree.ts'
import type { Installer, StageRequest, VersionContent, VersionRecord } from './installer.ts'

/**
 * Versions side by side, `<root>/<package>/versions/<version>-<digest8>/`, and one symbolic link per activation name.
 * A version appears under its name only when every file and folder of it is on the disk; the link is replaced by one
 * rename. So the active version is whole at every instant, and going back is the same rename.
 */
export function treeInstaller(root: string): Installer {
  const packageRoot = (name: string) => path.join(root, name)
  const versionsRoot = (name: string) => path.join(root, name, 'versions')
  const pathOf = (name: string, folder: string) => path.join(versionsRoot(name), folder)
  return {
    type: 'tree',
    pathOf,
    stage: async (request) => {
      await stage(versionsRoot(request.package), request)
    },
    active: (name, activation) => activeFolder(path.join(packageRoot(name), activation)),
    activate(name, activation, folder) {
      activate(packageRoot(name), activation, folder)
    },
    detect: (name, folder, content) => detect(pathOf(name, folder), content),
    inspect: (name, folder, content) => inspectTree(pathOf(name, folder), content),
    record: (name, folder) => readRecord(path.join(pathOf(name, folder), recordPath)),
    versions: () =>
      namesIn(root)
        // Whatever else somebody put beside our packages is none of our business.
        .filter((name) => lstatSync(packageRoot(name)).isDirectory())
        .flatMap((name) => stagedIn(versionsRoot(name)).map((folder) => ({ package: name, folder }))),
    tidy(name, keep) {
      tidy(packageRoot(name), versionsRoot(name), keep)
    },
  }
}

async function stage(versions: string, request: StageRequest): Promise<void> {
  const target = path.join(versions, request.folder)
  if (lstatSync(target, { throwIfNoEntry: false })) return
  makeFolders(versions)
  const temporary = path.join(versions, `.${request.folder}.tmp`)
  removeTree(temporary)
  makeFolder(temporary)
  const folders = new Set([temporary])
  for (const layer of request.layers) await unpackInto(temporary, folders, layer)
  writeFileInto(temporary, recordPath, Buffer.from(`${JSON.stringify(request.record)}\n`))
  // Deepest first, so that no folder is synchronised before what it holds.
  for (const folder of [...folders].sort((a, b) => b.length - a.length)) syncFolder(folder)
  rename(temporary, target)
  syncFolder(versions)
}

function writeFileInto(folder: string, name: string, bytes: Uint8Array): void {
  const fd = createNew(path.join(folder, name))
  try {
    writeAt(fd, bytes, 0)
    syncFile(fd)
  } finally {
    close(fd)
  }
}

async function unpackInto(root: string, folders: Set<string>, layer: StageRequest['layers'][number]): Promise<void> {
  const { writer, abandon } = treeWriter(root, folders)
  try {
    const unpacked = await unpackLayer(piecesOf(layer.path), layer.expected, writer)
    if (!unpacked.ok) throw new ContentError(`${unpacked.error.field} ${unpacked.error.problem}`)
  } finally {
    abandon()
  }
}

/** Files and folders of a layer, written through the durable calls; remembers which folders must be synchronised. */
function treeWriter(root: string, folders: Set<string>): { writer: LayerWriter; abandon: () => void } {
  let fd: number | null = null
  let position = 0
  const folderOf = (file: string): void => {
    const folder = path.dirname(file)
    if (folders.has(folder)) return
    folderOf(folder)
    makeFolder(folder)
    // A link in the place of a folder would lead the next file to wherever it points.
    if (!lstatSync(folder).isDirectory()) throw new ContentError(`${path.relative(root, folder)} is not a folder`)
    folders.add(folder)
  }
  const abandon = (): void => {
    if (fd !== null) close(fd)
    fd = null
  }
  const writer: LayerWriter = {
    beginFile(file) {
      const at = path.join(root, file.path)
      folderOf(at)
      fd = createNew(at, file.mode)
      position = 0
    },
    write(bytes) {
      if (fd !== null) writeAt(fd, bytes, position)
      position += bytes.length
    },
    endFile() {
      if (fd !== null) syncFile(fd)
      abandon()
    },
    link({ path: name, target }) {
      const at = path.join(root, name)
      folderOf(at)
      link(target, at)
    },
  }
  return { writer, abandon }
}

function activeFolder(at: string): string | null {
  const stat = lstatSync(at, { throwIfNoEntry: false })
  return stat?.isSymbolicLink() === true ? path.basename(readlinkSync(at)) : null
}

function activate(root: string, activation: string, folder: string | null): void {
  const at = path.join(root, activation)
  const before = activeFolder(at)
  const temporary = path.join(root, `.${activation}.tmp`)
  if (folder === null) {
    if (lstatSync(at, { throwIfNoEntry: false })) remove(at)
  } else if (before !== folder) {
    makeFolders(root)
    removeTree(temporary)
    link(path.join('versions', folder), temporary)
    rename(temporary, at)
  }
  // Also when nothing had to be done: the rename may have happened just before a loss of power.
  if (lstatSync(root, { throwIfNoEntry: false })) syncFolder(root)
}

function detect(folder: string, content: VersionContent): string[] {
  const named = content.detect.length > 0 ? content.detect : content.files.map((file) => ({ file: file.path }))
  return named.flatMap(({ file, ...rest }) => {
    const at = path.join(folder, file)
    const stat = lstatSync(at, { throwIfNoEntry: false })
    if (!stat) return [`${file} is missing`]
    const wanted = 'sha256' in rest ? rest.sha256 : undefined
    if (wanted === undefined || !stat.isFile()) return []
    return hashFile(at) === wanted ? [] : [`${file} has other content`]
  })
}

function readRecord(file: string): VersionRecord | null {
  if (!lstatSync(file, { throwIfNoEntry: false })) return null
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as VersionRecord
    return record.format === 1 ? record : null
  } catch (error) {
    // A record that rotted is a version that is not known any more; detection says the rest.
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function namesIn(folder: string): string[] {
  return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(folder) : []
}

function stagedIn(versions: string): string[] {
  return namesIn(versions).filter((name) => !name.startsWith('.'))
}

/** Never touches what an activation points to, whatever the caller wants to keep. */
function tidy(root: string, versions: string, keep: readonly string[]): void {
  const active = namesIn(root).map((name) => activeFolder(path.join(root, name)))
  const spared = new Set([...keep, ...active])
  const gone = namesIn(versions).filter((name) => !spared.has(name))
  for (const name of gone) {
    // First out of sight: a version that is half removed must never be taken for a whole one.
    const hidden = path.join(versions, name.startsWith('.') ? name : `.${name}.tmp`)
    if (!name.startsWith('.')) {
      removeTree(hidden)
      rename(path.join(versions, name), hidden)
      syncFolder(versions)
    }
    removeTree(hidden)
  }
}
