import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { configurationPage, readConfig, unknownSettings } from './config.ts'

test('without any setting the server has what it needs', () => {
  const config = readConfig([], {})
  expect(config).toMatchObject({ ok: true, value: { dataFolder: 'data', port: 8080, readyJson: false } })
})

test('a flag wins over the environment', () => {
  const config = readConfig(['--port', '0', '--data', '/srv/b', '--ready-json'], { BASCULE_PORT: '99' })
  expect(config).toMatchObject({ ok: true, value: { port: 0, dataFolder: '/srv/b', readyJson: true } })
})

test('every problem is reported at once and names its setting', () => {
  const config = readConfig(['--nonsense'], {
    BASCULE_PORT: 'many',
    BASCULE_TLS_CERT: 'cert.pem',
    BASCULE_DATABASE_URL: 'mysql://x',
  })
  expect(config.ok).toBe(false)
  const said = config.ok ? '' : config.error.join('\n')
  for (const part of ['--nonsense', 'BASCULE_PORT', 'BASCULE_TLS_KEY', 'BASCULE_DATABASE_URL']) {
    expect(said).toContain(part)
  }
})

test('the signing page needs a name of its own, because passkeys do not tell ports apart', () => {
  const read = (BASCULE_SIGN_URL: string) =>
    readConfig([], { BASCULE_PUBLIC_URL: 'https://releases.example.org', BASCULE_SIGN_URL })
  expect(read('https://releases.example.org:8443')).toMatchObject({
    ok: false,
    error: [expect.stringContaining('BASCULE_SIGN_URL needs another name')],
  })
  expect(read('https://sign.example.org').ok).toBe(true)
})

test('a misspelt setting is noticed', () => {
  expect(unknownSettings({ BASCULE_PROT: '1', BASCULE_SECRET_FILE: 'x', HOME: '/' })).toEqual(['BASCULE_PROT'])
})

test('a secret comes from a file, and from one place only', () => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'secret')
  writeFileSync(file, `${'s'.repeat(40)}\n`)
  expect(readConfig([], { BASCULE_SECRET_FILE: file })).toMatchObject({ ok: true, value: { secret: 's'.repeat(40) } })
  expect(readConfig([], { BASCULE_SECRET_FILE: file, BASCULE_SECRET: 'x'.repeat(40) }).ok).toBe(false)
  expect(readConfig([], { BASCULE_SECRET_FILE: join(folder, 'absent') }).ok).toBe(false)
})

test('the page for operators is what this file declares', () => {
  const page = new URL('../../../../docs/operate/configuration.md', import.meta.url)
  expect(readFileSync(page, 'utf8')).toBe(configurationPage())
})
