import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { currentPlatform, type Platform } from '#/platform/platform.ts'
import { runCommand, type Command } from './run-command.ts'

const platform: Platform = currentPlatform()
/** As on a machine where the agent is not root: only the process group is there. */
const withoutGroups: Platform = { ...platform, isolate: () => null }

async function sh(script: string, change: Partial<Command> = {}) {
  return await runCommand({
    file: '/bin/sh',
    args: ['-c', script],
    cwd: '/',
    env: {},
    timeoutMs: 5000,
    graceMs: 200,
    name: `test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`,
    platform,
    ...change,
  })
}

async function isGone(pid: number): Promise<boolean> {
  for (let look = 0; look < 50; look += 1) {
    if (platform.processStart(pid) === null) return true
    await sleep(20)
  }
  return false
}

test('the exit code and the last line are told', async () => {
  expect(await sh('echo first; echo last; exit 3')).toMatchObject({ exitCode: 3, summary: 'exited with 3: last' })
})

test('there is nothing to read, so a command that asks does not hang', async () => {
  expect(await sh('read answer || echo nobody')).toMatchObject({ exitCode: 0, output: 'nobody\n' })
})

test('arguments reach the command as they are: no shell looks at them', async () => {
  const outcome = await sh('', { file: '/bin/echo', args: ['$HOME; rm -rf /', '`id`'] })
  expect(outcome.output).toBe('$HOME; rm -rf / `id`\n')
})

test('of a flood only the end is kept', async () => {
  const outcome = await sh('i=0; while [ $i -lt 30000 ]; do echo "line $i"; i=$((i+1)); done')
  expect(outcome.output.length).toBeLessThanOrEqual(65_536)
  expect(outcome.output.endsWith('line 29999\n')).toBe(true)
})

test('a command that ignores TERM is killed with everything it started', async () => {
  const outcome = await sh("trap '' TERM; sleep 300 & echo $!; wait", { timeoutMs: 200, platform: withoutGroups })
  expect(outcome).toMatchObject({ exitCode: null, timedOut: true })
  expect(outcome.summary).toContain('did not end within 0.2 s')
  expect(await isGone(Number(outcome.output.trim()))).toBe(true)
})

test('what a command leaves running in its group ends with its step', async () => {
  const outcome = await sh('sleep 300 & echo $!; exit 0', { platform: withoutGroups })
  expect(outcome.exitCode).toBe(0)
  expect(await isGone(Number(outcome.output.trim()))).toBe(true)
})

test.runIf(platform.isolate(`probe-${process.pid}`) !== null)(
  'as root also a process that left the group ends with its step',
  async () => {
    await platform.isolate(`probe-${process.pid}`)?.end()
    const outcome = await sh('sleep 0.1; setsid sh -c "echo \\$\\$; exec sleep 300" & sleep 0.3; exit 0')
    expect(outcome.exitCode).toBe(0)
    expect(await isGone(Number(outcome.output.trim()))).toBe(true)
  },
)

test('a command that cannot be started says so', async () => {
  const outcome = await sh('', { file: '/does/not/exist', args: [] })
  expect(outcome).toMatchObject({ exitCode: null })
  expect(outcome.summary).toContain('could not start')
})
