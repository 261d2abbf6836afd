import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { forgeInto, members } from '@bascule/trust/testing/world.ts'
import { beforeAll, expect, test } from 'vitest'
import { agentProgram } from './testing/agent-process.ts'
import { aFolder, aRelay, buildAgent } from './testing/harness.ts'
import { foundBoard, goDocument, lineRole, pathOf, publishGo } from './testing/test-board.ts'
import { makeRelease } from './testing/test-release.ts'

beforeAll(buildAgent)

async function client(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [agentProgram, 'tuf-conformance', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (bytes: Buffer) => {
    errors += bytes.toString('utf8')
  })
  const [code] = (await once(child, 'close')) as [number]
  return `${code} ${errors}`.trim()
}

test('the command line of the conformance suite: a root is taken, metadata refreshed, signed targets downloaded', async () => {
  const release = await makeRelease({ version: '1.0.0', counter: 1 })
  const world = publishGo(foundBoard(), release)
  let files = world.files
  const url = await aRelay((request, response) => {
    const name = decodeURIComponent(request.url?.slice(1) ?? '')
    const bytes = name.startsWith('targets/') ? release.manifestBytes : files.get(name)
    response.writeHead(bytes ? 200 : 404).end(bytes)
  })
  const folder = aFolder()
  const metadata = path.join(folder.path, 'metadata')
  const root = path.join(folder.path, 'trusted.json')
  writeFileSync(root, world.files.get('1.root.json') ?? '')
  const at = ['--metadata-dir', metadata]
  expect(await client(...at, 'init', root)).toBe('0')
  expect(await client(...at, '--metadata-url', url, 'refresh')).toBe('0')
  expect(existsSync(path.join(metadata, 'timestamp.json'))).toBe(true)
  const targets = path.join(folder.path, 'targets')
  const download = (...names: string[]) =>
    client(
      ...at,
      '--metadata-url',
      url,
      ...names.flatMap((name) => ['--target-name', name]),
      '--target-base-url',
      `${url}/targets/`,
      '--target-dir',
      targets,
      'download',
    )
  expect(await download(pathOf(release))).toBe('0')
  expect(readFileSync(path.join(targets, encodeURIComponent(pathOf(release))))).toEqual(release.manifestBytes)
  expect(await download(pathOf(release), 'company/tools/normal/none.json')).toMatch(/^1 .*is not in the metadata/)

  const next = await makeRelease({ version: '2.0.0', counter: 2 })
  files = forgeInto(world, { [lineRole]: goDocument(world, next, { signers: members.slice(0, 1) }) })
  expect(await client(...at, '--metadata-url', url, 'refresh')).toBe('0')
  expect(await download(pathOf(next))).toMatch(/^1 .*signed by 1\/2/)
  expect(await client('refresh')).toMatch(/^1 --metadata-dir is missing/)
})
