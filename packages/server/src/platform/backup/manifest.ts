import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { startRefusal } from '@bascule/postgres/refusal.ts'
import * as z from 'zod'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** A path inside the backup; never one that leads out of it. */
const path = z
  .string()
  .min(1)
  .refine((text) => !text.startsWith('/') && !text.split('/').includes('..'), 'leads out of the backup')

const savedFile = z.object({ path, sizeBytes: z.int().min(0), sha256 })

const savedTable = savedFile.extend({
  schema: z.string(),
  name: z.string(),
  columns: z.array(z.string()),
  rows: z.int().min(0),
})

const manifestSchema = z.object({
  format: z.literal('bascule-backup'),
  formatVersion: z.literal(1),
  madeAt: z.string(),
  serverVersion: z.string(),
  postgresVersion: z.string(),
  migrations: z.array(z.object({ name: z.string(), sha256 })),
  tables: z.array(savedTable),
  sequences: z.array(z.object({ schema: z.string(), name: z.string(), lastValue: z.string() })),
  /** Blobs by their digest, the keys and the log of the signer; `path` is also the place in the data folder. */
  files: z.array(savedFile.extend({ mode: z.int() })),
})

export type Manifest = z.output<typeof manifestSchema>
export type SavedFile = z.output<typeof savedFile>
export type SavedTable = z.output<typeof savedTable>

const names = { manifest: 'manifest.json', digest: 'manifest.sha256' }

/** The last thing a backup writes: a folder without a manifest is no backup. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`
  await writeFile(join(folder, names.digest), `${digestOf(text)}\n`, { flush: true, mode: 0o600 })
  await writeFile(join(folder, names.manifest), text, { flush: true, mode: 0o600 })
}

/** The manifest, whole and understood, or a `backup-damaged` refusal. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readPart(folder, names.manifest)
  const digest = await readPart(folder, names.digest)
  if (digestOf(text) !== digest.trim()) throw damaged(names.manifest, 'it is not what was written')
  const parsed = manifestSchema.safeParse(JSON.parse(text))
  if (!parsed.success) throw damaged(names.manifest, z.prettifyError(parsed.error))
  return parsed.data
}

export function damaged(file: string, what: string, cause?: unknown): Error {
  return startRefusal(
    'backup-damaged',
    `The backup is damaged: ${file}: ${what}. Nothing was restored; take another backup.`,
    cause,
  )
}

async function readPart(folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, name), 'utf8')
  } catch (error) {
    throw damaged(name, 'it cannot be read', error)
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
