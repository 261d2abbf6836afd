import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startGuarded } from '#scripts/lib/guarded-child.ts'
import { afterAll, expect, test } from 'vitest'

const folder = await mkdtemp(join(tmpdir(), 'guarded child '))
afterAll(() => rm(folder, { recursive: true }))

/** Says when it is ready and how it was asked to stop. */
const polite = `process.on('SIGTERM', () => { console.log('asked to stop'); process.exit(0) }); setInterval(() => {}, 1000); console.log('ready')`

test('a guarded program is asked to stop and its last words reach the log', async () => {
  const logFile = join(folder, 'polite.log')
  const { promise: ready, resolve } = Promise.withResolvers<string>()
  const child = await startGuarded({
    name: 'polite',
    command: [process.execPath, '-e', polite],
    logFile,
    onLine: resolve,
  })
  expect(await ready).toBe('ready')
  await child.stop()
  expect(await child.ended).toBe(0)
  expect(await readFile(logFile, 'utf8')).toBe('ready\nasked to stop\n')
})

test('a program that does not listen is ended after its time', async () => {
  const deaf = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready')`
  const { promise: ready, resolve } = Promise.withResolvers<string>()
  const logFile = join(folder, 'deaf.log')
  const child = await startGuarded({ name: 'deaf', command: [process.execPath, '-e', deaf], logFile, onLine: resolve })
  await ready
  await child.stop(100)
  expect(await child.ended).not.toBe(0)
})

test('a program that ends by itself tells its exit code', async () => {
  const logFile = join(folder, 'short.log')
  const child = await startGuarded({ name: 'short', command: [process.execPath, '-e', 'process.exit(7)'], logFile })
  expect(await child.ended).toBe(7)
})

test('no guarded program outlives a starter that was killed', async () => {
  const parentCode = `
    import { startGuarded } from ${JSON.stringify(import.meta.resolve('#scripts/lib/guarded-child.ts'))}
    const child = await startGuarded({ name: 'orphan', command: [process.execPath, '-e', ${JSON.stringify(polite)}],
      logFile: ${JSON.stringify(join(folder, 'orphan.log'))} })
    console.log(child.pid)
    setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', parentCode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
  const pid = Number(line)
  expect(isAlive(pid)).toBe(true)
  parent.kill('SIGKILL')
  await expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false)
}, 60_000)

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false // No such process: that is the answer, not an error.
  }
}
