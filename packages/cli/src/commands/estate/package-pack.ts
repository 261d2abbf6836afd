import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeLayoutTar } from '@bascule/content/oci/layout-tar.ts'
import { packFolder } from '@bascule/content/oci/pack-folder.ts'
import { describeProblem, type PackageProblem } from '@bascule/content/oci/package-problem.ts'
import { buildCommand } from '@stricli/core'
import { failWith, printResult, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { formatBytes } from '#/lib/progress-bar.ts'

interface PackFlags {
  readonly out?: string
  readonly layout?: string
  readonly json: boolean
}

export const packCommand = buildCommand<PackFlags, [string], CliContext>({
  docs: {
    brief: 'Pack a folder with bascule.yaml into a package',
    fullDescription:
      'Checks everything, then writes the package as one tar (--out) or as an OCI layout folder (--layout). The same input gives the same digest.',
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Folder with bascule.yaml', placeholder: 'folder', parse: String }],
    },
    flags: {
      out: {
        kind: 'parsed',
        parse: String,
        optional: true,
        brief: 'Tar to write; without --layout, <name>-<version>.tar',
      },
      layout: { kind: 'parsed', parse: String, optional: true, brief: 'OCI layout folder to write' },
      json: { kind: 'boolean', default: false, brief: 'Print the result as one JSON line' },
    },
  },
  func: pack,
})

async function pack(this: CliContext, flags: PackFlags, folder: string): Promise<void> {
  const layout = flags.layout ?? (await mkdtemp(join(tmpdir(), 'bascule-pack-')))
  try {
    const packed = await packFolder(folder, layout)
    if (!packed.ok) {
      refusePackage(this, flags, packed.error)
      return
    }
    const { name, version, indexDigest, fileCount, sizeBytes, variants } = packed.value
    const tar = flags.out ?? (flags.layout === undefined ? `${name}-${version}.tar` : undefined)
    if (tar !== undefined) {
      const written = await writeLayoutTar(layout, tar)
      if (!written.ok) {
        refusePackage(this, flags, written.error)
        return
      }
    }
    printResult(this, flags.json, { ...packed.value, layout: flags.layout ?? null, tar: tar ?? null }, [
      `Packed ${name} ${version}: ${variants.length} variant${variants.length === 1 ? '' : 's'}, ${fileCount} file${fileCount === 1 ? '' : 's'}, ${formatBytes(sizeBytes)}.`,
      `Digest ${indexDigest}`,
      `Written to ${[tar, flags.layout].filter((path) => path !== undefined).join(' and ')}.`,
    ])
  } finally {
    if (flags.layout === undefined) await rm(layout, { recursive: true, force: true })
  }
}

function refusePackage(context: CliContext, flags: PackFlags, problems: readonly PackageProblem[]): void {
  const kind = problems[0]?.rule ?? 'bad-package'
  failWith(context, exitCodes.refused, flags.json, { kind, problem: problems.map(describeProblem).join('\n') })
}
