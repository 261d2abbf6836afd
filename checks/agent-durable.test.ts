import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

/**
 * Every change the agent makes to a disk is a numbered fault point of `durable.ts`; otherwise the crash matrix proves
 * nothing. So the rest of the agent may import only what reads. Tests and their harness are not the agent.
 */
const agent = path.join(import.meta.dirname, '../packages/agent/src')
const allowed = new Set([
  'accessSync',
  'existsSync',
  'lstatSync',
  'readFileSync',
  'readSync',
  'readdirSync',
  'readlinkSync',
  'realpathSync',
  'statSync',
  'statfsSync',
])

function problemsOf(name: string, text: string): string[] {
  const problems: string[] = []
  if (/['"](?:node:)?fs\/promises['"]/.test(text)) problems.push(`${name} uses fs/promises`)
  if (/import\s+(?:\*\s+as\s+\w+|\w+)[\s,{}\w]*from\s+['"](?:node:)?fs['"]/.test(text))
    problems.push(`${name} imports all of fs`)
  if (/(?:require|import|getBuiltinModule)\(\s*['"](?:node:)?fs/.test(text))
    problems.push(`${name} loads fs at run time`)
  for (const [, names = ''] of text.matchAll(/import\s+(?:type\s+)?\{([^}]*)\}\s+from\s+['"](?:node:)?fs['"]/g)) {
    for (const imported of names.split(',').map(
      (word) =>
        word
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+as\s+/)[0] ?? '',
    )) {
      if (imported !== '' && !allowed.has(imported)) problems.push(`${name} imports ${imported}`)
    }
  }
  // Functions of our libraries that write files themselves.
  for (const writer of ['createKeyFile', 'loadOrCreateKeyFile', 'nodePartFile', 'writeBlobStream', 'packFolder']) {
    if (new RegExp(`\\b${writer}\\b`).test(text)) problems.push(`${name} uses ${writer}`)
  }
  return problems
}

test('only durable.ts of the agent writes to a disk', () => {
  const files = globSync('**/*.ts', { cwd: agent }).filter(
    (name) => name !== 'durable.ts' && !/^(?:crash|testing)\b/.test(name) && !/\.(?:test|contract)\.ts$/.test(name),
  )
  expect(files.length).toBeGreaterThan(30)
  expect(files.flatMap((name) => problemsOf(name, readFileSync(path.join(agent, name), 'utf8')))).toEqual([])
})

test('the check sees each way to write past it', () => {
  const ways = [
    "import { writeFileSync } from 'node:fs'",
    "import { readFileSync, openSync as open } from 'fs'",
    "import * as fs from 'node:fs'",
    "import fs from 'node:fs'",
    "import { rm } from 'node:fs/promises'",
    "const fs = await import('node:fs')",
    "import { createKeyFile } from '@bascule/trust/key-file.ts'",
  ]
  expect(ways.filter((text) => problemsOf('x.ts', text).length === 0)).toEqual([])
})
