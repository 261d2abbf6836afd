import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { isPlainHttp, readToken, warnOfPlainHttp } from './credentials.ts'

test('only an address that leaves the machine unencrypted is not private, and that is said once', () => {
  const plain = ['http://bascule.example', 'http://10.0.0.4:7470', 'http://127.evil.example', 'http://[fe80::1]']
  const fine = ['https://bascule.example', 'http://localhost:7470', 'http://127.0.0.1', 'http://[::1]:80']
  expect(plain.filter((server) => !isPlainHttp(server))).toEqual([])
  expect(fine.filter((server) => isPlainHttp(server))).toEqual([])
  const said: string[] = []
  for (const server of [...plain.slice(0, 1), ...fine]) warnOfPlainHttp(server, (line) => said.push(line))
  expect(said).toHaveLength(1)
  expect(said[0]).toContain('The connection to http://bascule.example is not private')
})

test('a token is read from its file without the line end; an open file is said, a missing or empty one refused', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bascule-token-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  const said: string[] = []
  const read = (name: string) => readToken({ file: path.join(folder, name) }, (line) => said.push(line))
  writeFileSync(path.join(folder, 'good'), 'secret\n', { mode: 0o600 })
  expect(read('good')).toBe('secret')
  expect(said).toEqual([])
  writeFileSync(path.join(folder, 'open'), 'secret', { mode: 0o644 })
  expect(read('open')).toBe('secret')
  expect(said[0]).toContain('chmod 600')
  writeFileSync(path.join(folder, 'empty'), '\n')
  expect(() => read('empty')).toThrow('is empty')
  expect(() => read('gone')).toThrow(/The enrolment token cannot be read: ENOENT/)
  expect(readToken({ text: 'given' }, () => {})).toBe('given')
})
