import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { devicePaths } from '@bascule/contract/device/protocol.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { fileMaxBytes } from '@bascule/trust/tuf/documents.ts'
import { releasesOf } from '@bascule/trust/tuf/repository-state.ts'
import { buildCommand } from '@stricli/core'
import { failWith, printResult, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { bytesUpTo, metadataSourceOf, type OwnView } from '#/lib/signing/own-view.ts'
import { ownViewOf } from '#/lib/signing/review-draft-of-server.ts'
import { rootFlag, sayAnchor, type RootFlags } from '#/lib/signing/root-flag.ts'
import { type Member, Refused, withMember } from '#/lib/signing/with-member.ts'

export const trustExportCommand = buildCommand<ServerFlags & RootFlags, [string], CliContext>({
  docs: {
    brief:
      'Write all signed metadata and the manifests of live releases into a folder, to be verified without the server',
    fullDescription:
      'metadata/ holds every root and the present version of each file under the names of the TUF specification; targets/ the manifests. Any TUF client verifies it, with 1.root.json and its fingerprint as the anchor.',
  },
  parameters: {
    positional: { kind: 'tuple', parameters: [{ placeholder: 'folder', brief: 'New or empty folder', parse: String }] },
    flags: { ...serverFlags, ...rootFlag },
  },
  async func({ rootSha256, ...flags }, folder) {
    if (existsSync(folder) && readdirSync(folder).length > 0) {
      failWith(this, exitCodes.usage, flags.json, { kind: 'not-empty', problem: `${folder} is not empty.` })
      return
    }
    await withMember(this, flags, async (member) => {
      const view = await ownViewOf(member, rootSha256)
      sayAnchor(this, view)
      if (view === undefined) throw new Refused('root-is-there', 'There is nothing to export: there is no root yet.')
      const files = [...(await metadataFiles(member, view)), ...(await manifestFiles(member, view))]
      for (const { path, bytes } of files) {
        mkdirSync(join(folder, path, '..'), { recursive: true })
        writeFileSync(join(folder, path), bytes)
      }
      const result = { folder, rootSha256: view.anchor.sha256, files: files.map(({ path }) => path) }
      printResult(this, flags.json, result, [`${files.length} files in ${folder}. Root ${view.anchor.sha256}`])
    })
  },
})

interface ExportedFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** The names come from what was verified; a server cannot put a file of its own among them. */
async function metadataFiles({ server }: Member, view: OwnView): Promise<ExportedFile[]> {
  const { repository, rootVersion, snapshotVersion } = view
  const names = [
    ...Array.from({ length: rootVersion }, (_, before) => `${before + 1}.root.json`),
    ...Object.entries(repository.roles).map(([role, { signed }]) => `${signed.version}.${role}.json`),
    `${snapshotVersion}.snapshot.json`,
    'timestamp.json',
  ]
  const source = metadataSourceOf(server)
  return await Promise.all(
    names.map(async (name) => {
      const bytes = await source.fetchMetadata(name, fileMaxBytes.targets)
      if (bytes === undefined) throw new Error(`Exporting ${name}: the server does not have it any more`)
      return { path: join('metadata', name), bytes }
    }),
  )
}

/** Under the name with the hash, as the specification wants it of consistent snapshots. */
async function manifestFiles({ server }: Member, { repository }: OwnView): Promise<ExportedFile[]> {
  const live = releasesOf(repository.roles)
  return await Promise.all(
    live.map(async ({ path, target }) => {
      const { sha256 } = target.hashes
      const response = await fetch(`${server}${devicePaths.blob(sha256)}`)
      if (!response.ok) throw new Error(`Exporting the manifest of ${path}: the server answered ${response.status}`)
      const bytes = await bytesUpTo(response, target.length)
      if (sha256Hex(bytes) !== sha256)
        throw new Refused('manifest-is-the-signed-one', `The server has other bytes for ${path}.`)
      const parts = path.split('/')
      const file = `${sha256}.${parts.at(-1) ?? ''}`
      return { path: join('targets', ...parts.slice(0, -1), file), bytes }
    }),
  )
}
