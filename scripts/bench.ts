import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lib/root.ts'

/** `npm run bench -- <name>`: runs `bench/<name>.ts`, without a name all of them; each prints JSON lines. */
const known = readdirSync(join(root, 'bench'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -3))
const [name, ...args] = process.argv.slice(2)

if (name !== undefined && !known.includes(name)) {
  console.error(`There is no bench ${name}. There are: ${known.join(', ')}.`)
  process.exit(2)
}
for (const one of name === undefined ? known : [name]) {
  const { status } = spawnSync(process.execPath, [join(root, 'bench', `${one}.ts`), ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) {
    console.error(`The bench ${one} failed.`)
    process.exitCode = 1
  }
}
