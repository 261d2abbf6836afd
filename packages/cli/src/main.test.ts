import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { temporaryFolder, toolFiles, writeFiles } from '@bascule/testkit/content/package-folder.ts'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

async function bascule(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { out, err, exitCode: exitCode as number }
}

test('pack writes a tar and a layout and says the digest, in words and as JSON', async () => {
  await using folder = await temporaryFolder()
  await writeFiles(folder.path, toolFiles)
  const tar = join(folder.path, 'tool.tar')
  const inWords = await bascule(['pack', folder.path, '--out', tar])
  expect(inWords).toMatchObject({ err: '', exitCode: 0 })
  expect(inWords.out).toMatch(/^Packed tool 1\.2\.0: 1 variant, 3 files, [\d.]+ kB\.\nDigest sha256:[0-9a-f]{64}\n/)
  expect(existsSync(tar)).toBe(true)

  const layout = join(folder.path, 'layout')
  const asJson = await bascule(['package', 'pack', folder.path, '--layout', layout, '--json'])
  const outcome = JSON.parse(asJson.out) as { indexDigest: string }
  expect(outcome).toMatchObject({ name: 'tool', version: '1.2.0', tar: null, layout })
  expect(inWords.out).toContain(outcome.indexDigest)
})

test('a package with a fault is exit code 4 and a sentence per fault', async () => {
  await using folder = await temporaryFolder()
  await writeFiles(folder.path, { ...toolFiles, 'bascule.yaml': 'name: [tool' })
  const { out, err, exitCode } = await bascule(['pack', folder.path, '--json'])
  expect(exitCode).toBe(4)
  expect(err).toMatch(/^bascule\.yaml:\d+:\d+ /)
  expect(JSON.parse(out)).toMatchObject({ error: { kind: 'broken-yaml' } })
})

test('a command that is typed wrong is exit code 2', async () => {
  expect((await bascule(['pack'])).exitCode).toBe(2)
  expect((await bascule(['unpack'])).exitCode).toBe(2)
  expect((await bascule(['push', '.', '--server', 'ftp://x'])).exitCode).toBe(2)
  const noServer = await bascule(['push', '.'])
  expect(noServer).toMatchObject({ exitCode: 2, err: expect.stringContaining('BASCULE_SERVER') as string })
})

test('a server that does not answer is exit code 5, and what is no package is 4', async () => {
  await using folder = await temporaryFolder()
  await writeFiles(folder.path, toolFiles)
  const environment = { BASCULE_SERVER: 'http://127.0.0.1:9', XDG_STATE_HOME: folder.path }
  const away = await bascule(['push', folder.path], environment)
  expect(away).toMatchObject({ exitCode: 5, err: expect.stringContaining('127.0.0.1:9') as string })
  expect(await bascule(['push', join(folder.path, 'files')], environment)).toMatchObject({ exitCode: 4 })
}, 20_000)
