import { pushLayout, type PushRefusal } from '@bascule/content/oci/push-layout.ts'
import { buildCommand } from '@stricli/core'
import { failWith, printResult, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { openLayout } from '#/lib/open-layout.ts'
import { createProgressBar, formatBytes } from '#/lib/progress-bar.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { targetOf } from '#/lib/target.ts'
import { openUploadMemory } from '#/lib/upload-memory.ts'

export const pushCommand = buildCommand<ServerFlags, [string], CliContext>({
  docs: {
    brief: 'Upload a package to the library',
    fullDescription:
      'Takes an OCI layout, the tar of one, or a folder with bascule.yaml. What the server already has is not sent; an interrupted upload goes on where it was.',
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Layout, tar or folder', placeholder: 'package', parse: String }],
    },
    flags: serverFlags,
  },
  func: push,
})

async function push(this: CliContext, flags: ServerFlags, path: string): Promise<void> {
  const target = targetOf(this, flags)
  if (target === undefined) return
  const { server, apiKey } = target
  const opened = await openLayout(path)
  if (!opened.ok) {
    failWith(this, exitCodes.refused, flags.json, { kind: 'bad-package', problem: opened.error })
    return
  }
  await using layout = opened.value
  using bar = createProgressBar(this.process.stderr, 'Uploading')
  const pushed = await pushLayout({
    layout: layout.folder,
    server,
    apiKey,
    memory: openUploadMemory(server, this.process.env),
    onProgress: (doneBytes, totalBytes) => bar.show(doneBytes, totalBytes),
  })
  if (!pushed.ok) {
    failWith(this, exitCodeOf(pushed.error), flags.json, pushed.error)
    return
  }
  const { name, version, indexDigest, sentBytes } = pushed.value
  printResult(this, flags.json, pushed.value, [
    `Uploaded ${name} ${version} to ${server}: ${formatBytes(sentBytes)} sent.`,
    `Digest ${indexDigest}`,
  ])
}

function exitCodeOf(refusal: PushRefusal): number {
  return refusal.kind === 'unreachable' ? exitCodes.timeout : exitCodes.refused
}
