import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Facts } from '@bascule/contract/device/protocol.ts'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { emptyState } from '#/journal/state.ts'
import { currentPlatform } from '#/platform/platform.ts'
import { hashFacts, takeInventory, tellable } from './inventory.ts'

test('whatever a plug-in finds, the facts can be told and have a hash', () => {
  const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 600 }), fc.double(), fc.boolean())
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'os.version', 'constructor', 'prototype'), value), (found) => {
      const facts = tellable(found)
      expect(Facts.parse(facts)).toEqual(facts)
      expect(hashFacts(facts)).toMatch(/^[0-9a-f]{64}$/)
    }),
  )
  expect(
    Object.keys(tellable(Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`f${at}`, at])))),
  ).toHaveLength(2000)
})

test('a plug-in that is gone, floods or says nonsense costs its own facts and no check-in', async () => {
  const data = mkdtempSync(path.join(tmpdir(), 'bascule-facts-'))
  onTestFinished(() => {
    rmSync(data, { recursive: true, force: true })
  })
  const folder = path.join(data, 'facts.d')
  mkdirSync(folder)
  const plugin = (name: string, script: string) => {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  plugin('a-good', 'echo room=4.12; echo constructor=1; printf "nul=a\\\\000b\\\\n"')
  plugin('z-flood', 'i=0; while [ $i -lt 3000 ]; do echo "f$i=1"; i=$((i+1)); done')
  symlinkSync('/nowhere', path.join(folder, 'gone'))
  const facts = await takeInventory({
    platform: currentPlatform(),
    data,
    root: data,
    instance: `test-${process.pid}`,
    state: emptyState,
    blind: null,
    factsFile: null,
  })
  expect(facts).toMatchObject({ os: 'linux', room: '4.12', nul: 'a\u{FFFD}b' })
  expect(Object.keys(facts)).toHaveLength(2000)
})
