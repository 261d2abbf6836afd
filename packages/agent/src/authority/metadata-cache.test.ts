import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openMetadataCache } from './metadata-cache.ts'

function aFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'bascule-metadata-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

test('files are there for the next start, and nothing of a write that is replaced stays', () => {
  const folder = path.join(aFolder(), 'tuf')
  const cache = openMetadataCache(folder, () => {})
  expect(cache.read('root.json')).toBeUndefined()
  cache.write('root.json', Buffer.from('one'))
  cache.write('root.json', Buffer.from('two'))
  expect(readdirSync(folder)).toEqual(['root.json'])
  expect(openMetadataCache(folder, () => {}).all()).toEqual({ 'root.json': 'two' })
})

test('a disk that takes nothing keeps no device from knowing what it has verified', () => {
  const blocked = path.join(aFolder(), 'file')
  writeFileSync(blocked, '')
  const said: string[] = []
  const cache = openMetadataCache(path.join(blocked, 'tuf'), (text) => said.push(text))
  cache.write('timestamp.json', Buffer.from('new'))
  cache.write('snapshot.json', Buffer.from('new'))
  expect(Buffer.from(cache.read('timestamp.json') ?? []).toString()).toBe('new')
  expect(cache.all()).toEqual({ 'snapshot.json': 'new', 'timestamp.json': 'new' })
  expect(said).toHaveLength(1)
})
