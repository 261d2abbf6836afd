import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FolderInUse, lockFolder, lockOwner } from './data-lock.ts'
import { currentPlatform } from './platform/platform.ts'

const platform = currentPlatform()

function aFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'bascule-lock-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** Another process that holds the folder until it is killed. */
async function holder(folder: string): Promise<ChildProcess> {
  const script = `
    import { lockFolder } from '${path.join(import.meta.dirname, 'data-lock.ts')}'
    import { currentPlatform } from '${path.join(import.meta.dirname, 'platform/platform.ts')}'
    lockFolder(process.argv[1], currentPlatform(), (line) => console.error(line))
    console.log('held')
    setInterval(() => {}, 1e6)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  await once(child.stdout, 'data')
  return child
}

const silent = (): void => {}

test('while one process holds the folder another is refused by name, and a killed one leaves nothing behind', async () => {
  const folder = aFolder()
  const first = await holder(folder)
  expect(lockOwner(folder, platform)).toBe(first.pid)
  const attempt = () => lockFolder(folder, platform, silent)
  expect(attempt).toThrow(FolderInUse)
  expect(attempt).toThrow(`Another agent (process ${first.pid}) works in ${folder}.`)

  first.kill('SIGKILL')
  await once(first, 'exit')
  expect(lockOwner(folder, platform)).toBeNull()
  attempt().release()
})

test('the lock holds also when the note about its owner is lost, because it is not the note that locks', async () => {
  const folder = aFolder()
  await holder(folder)
  rmSync(path.join(folder, 'agent.lock'))
  expect(() => lockFolder(folder, platform, silent)).toThrow(`Another agent works in ${folder}.`)
})

test.runIf(process.platform === 'linux')(
  'nobody outside the folder can keep the agent from starting: not by a socket name, not by a note',
  async () => {
    const folder = aFolder()
    const name = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 16)
    const squatter = createServer().listen({ path: `\0bascule-agent-${name}` })
    await once(squatter, 'listening')
    onTestFinished(() => {
      squatter.close()
    })
    // A note that names a process of another boot, whose number somebody else has now.
    const start = platform.processStart(process.ppid)
    writeFileSync(path.join(folder, 'agent.lock'), `${process.ppid} ${start} 00000000-another-boot\n`)
    expect(lockOwner(folder, platform)).toBeNull()
    const lock = lockFolder(folder, platform, silent)
    expect(lockOwner(folder, platform)).toBe(process.pid)
    lock.release()
  },
)

test('only the account of the agent can open the file that is locked', () => {
  const folder = aFolder()
  chmodSync(folder, 0o755)
  const lock = lockFolder(folder, platform, silent)
  expect(statSync(path.join(folder, 'agent.guard')).mode & 0o777).toBe(0o600)
  expect(readFileSync(path.join(folder, 'agent.guard')).length).toBe(0)
  lock.release()
})

test('a folder that cannot be locked now is locked as soon as it can, and the agent starts meanwhile and says so', async () => {
  const folder = aFolder()
  const said: string[] = []
  const guard = path.join(folder, 'agent.guard')
  writeFileSync(guard, 'this is no lock file, and it stands in the way of one')
  const lock = lockFolder(folder, platform, (line) => said.push(line))
  expect(said.join('\n')).toContain('The data folder cannot be locked')
  rmSync(guard)
  await holder(folder)
  expect(() => {
    lock.ensure()
  }).toThrow(FolderInUse)
})
