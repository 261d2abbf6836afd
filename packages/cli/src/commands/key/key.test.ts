import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@bascule/testkit/content/package-folder.ts'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../../main.ts', import.meta.url))

async function bascule(args: readonly string[], environment: Record<string, string>, input = '') {
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env['PATH'], ...environment } })
  child.stdin.end(input)
  const [out, err, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { out, err, exitCode: exitCode as number }
}

interface Made {
  readonly file: string
  readonly keyId: string
  readonly publicKey: string
}

test('a key is made under a passphrase, for its owner alone, and is never written over', async () => {
  await using folder = await temporaryFolder()
  const home = { BASCULE_HOME: join(folder.path, 'home') }
  const secret = join(folder.path, 'passphrase')
  writeFileSync(secret, 'four quite ordinary words\n')
  const made = await bascule(['key', 'make', '--label', 'Ada', '--passphrase-file', secret, '--json'], home)
  expect(made).toMatchObject({ err: '', exitCode: 0 })
  const { file, keyId, publicKey } = JSON.parse(made.out) as Made
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).toContain('aes-256-gcm')

  const shown = await bascule(['key', 'show', '--json'], home)
  expect(JSON.parse(shown.out)).toMatchObject({ items: [{ label: 'Ada', keyId, publicKey }] })
  const again = await bascule(['key', 'make', '--label', 'Ada'], { ...home, BASCULE_PASSPHRASE: 'four other words' })
  expect(again).toMatchObject({ exitCode: 4, err: expect.stringContaining('another --label') as string })
}, 60_000)

test('without a passphrase there is no key, and a short one is refused', async () => {
  await using folder = await temporaryFolder()
  const home = { BASCULE_HOME: folder.path }
  expect(await bascule(['key', 'make'], home)).toMatchObject({ exitCode: 2 })
  const short = await bascule(['key', 'make'], { ...home, BASCULE_PASSPHRASE: 'short' })
  expect(short).toMatchObject({ exitCode: 2, err: expect.stringContaining('12 characters') as string })
  const missing = await bascule(['key', 'make', '--passphrase-file', join(folder.path, 'none')], home)
  expect(missing).toMatchObject({ exitCode: 2, err: expect.stringContaining('cannot be read') as string })
})

test('a paper key is printed once, leaves no file, and comes back when it is typed in', async () => {
  await using folder = await temporaryFolder()
  const home = { BASCULE_HOME: folder.path, BASCULE_PASSPHRASE: 'four quite ordinary words' }
  const printed = JSON.parse((await bascule(['key', 'paper', '--json'], home)).out) as Made & { lines: string[] }
  expect(JSON.parse((await bascule(['key', 'show', '--json'], home)).out)).toMatchObject({ items: [] })
  const typed = printed.lines.join('\n').toUpperCase()
  const back = await bascule(['key', 'make', '--from-paper', '--label', 'recovery', '--json'], home, typed)
  expect(JSON.parse(back.out)).toMatchObject({ publicKey: printed.publicKey, keyId: printed.keyId })
  const wrong = typed.replace(/[0-9A-F](?=[^0-9A-F]*$)/, (digit) => (digit === '0' ? '1' : '0'))
  const refused = await bascule(['key', 'make', '--from-paper', '--label', 'other'], home, wrong)
  expect(refused).toMatchObject({ exitCode: 4, err: expect.stringContaining('Line 4') as string })
}, 60_000)
