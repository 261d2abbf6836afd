import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { downloadPlainly, refreshPlainly } from '@bascule/trust/client/plain-client.ts'
import { makeFolders, putFile } from './durable.ts'

/**
 * The command line that the conformance suite of TUF drives: `init ROOT`, `refresh` and `download`. It is the client
 * library by itself, to show that what we build on keeps the standard; an agent asks more than the standard.
 */
export async function tufConformance(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'metadata-dir': { type: 'string' },
      'metadata-url': { type: 'string' },
      'target-name': { type: 'string', multiple: true },
      'target-base-url': { type: 'string' },
      'target-dir': { type: 'string' },
    },
  })
  const metadataDir = path.resolve(needed(values, 'metadata-dir'))
  const [command, root] = positionals
  if (command === 'init') {
    if (root === undefined) throw new Error('init needs the file of the trusted root.')
    makeFolders(metadataDir)
    putFile(path.join(metadataDir, 'root.json'), readFileSync(root))
    return
  }
  const metadataUrl = needed(values, 'metadata-url')
  if (command === 'refresh') {
    await refreshPlainly({ metadataDir, metadataUrl })
    return
  }
  if (command !== 'download') throw new Error('The commands are init, refresh and download.')
  const targetDir = path.resolve(needed(values, 'target-dir'))
  makeFolders(targetDir)
  const places = { metadataDir, metadataUrl, targetDir, targetUrl: needed(values, 'target-base-url') }
  await downloadPlainly(places, values['target-name'] ?? [])
}

function needed(values: Readonly<Record<string, string | string[] | undefined>>, name: string): string {
  const value = values[name]
  if (typeof value !== 'string') throw new Error(`--${name} is missing.`)
  return value
}
