import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { runCommand } from '../lib/command.ts'
import { root } from '../lib/root.ts'
import { giveTo } from '../lib/user.ts'
import type { Account } from '../lib/user.ts'

export interface Attempt {
  readonly who: string
  readonly account?: Account
}

interface Place {
  readonly clone: string
  readonly env: NodeJS.ProcessEnv
  readonly account: Account | undefined
}

/** Clones, starts, waits for the demo's release, stops, starts again, stops, tests. Returns the seconds; throws what went wrong. */
export async function tryFresh(attempt: Attempt, full: boolean): Promise<number> {
  const startedAt = performance.now()
  // A space in the path, because people have them.
  const folder = mkdtempSync(join(tmpdir(), 'bascule fresh '))
  try {
    const place = layOut(folder, attempt.account)
    await runDemo(place, /The demo release is verified/)
    await runDemo(place, /Going on where it was/)
    await runTests(place, full)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  return (performance.now() - startedAt) / 1000
}

function layOut(folder: string, account: Account | undefined): Place {
  const [clone, home] = [join(folder, 'clone'), join(folder, 'home')]
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, clone])
  mkdirSync(home)
  chmodSync(folder, 0o755)
  if (account) giveTo(account, folder)
  return { clone, env: newcomersEnvironment(home), account }
}

/** Only what a new shell has: not our pinned Node on the path, nothing that npm set for us. */
function newcomersEnvironment(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE|BASCULE_|XDG_|INIT_CWD)/i.test(name))
  const path = (process.env['PATH'] ?? '').split(':').filter((one) => !one.includes('node_modules'))
  return { ...Object.fromEntries(kept), HOME: home, npm_config_cache: join(home, 'npm-cache'), PATH: path.join(':') }
}

/** `npm start` until it says what is awaited, then Ctrl-C; it must stop everything by itself and say so. */
async function runDemo(place: Place, awaited: RegExp): Promise<void> {
  const child = spawn('npm', ['start', '--', '--port', '0'], {
    cwd: place.clone,
    env: place.env,
    ...place.account,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // A group of its own, as a terminal makes one: Ctrl-C is a signal to the group.
  })
  const ended = once(child, 'close')
  const said: string[] = []
  await heard(child, said, awaited)
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT')
  await ended
  const missing = [awaited, /^Stopped\.$/].filter((words) => !said.some((line) => words.test(line)))
  if (missing.length > 0)
    throw new Error(`npm start did not say ${missing.map(String).join(' and ')}:\n${said.join('\n')}`)
}

/** Resolves when the words were said, the program ended, or ten minutes are over; all lines are kept, also later ones. */
function heard(child: ChildProcess, said: string[], awaited: RegExp): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 600_000)
    const finish = () => {
      clearTimeout(timer)
      resolve()
    }
    child.on('close', finish)
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line)
        if (awaited.test(line)) finish()
      })
    }
  })
}

async function runTests(place: Place, full: boolean): Promise<void> {
  const run = ['npm', 'test', ...(full ? [] : ['--', '--quick'])] as const
  // `env -i` in effect: runCommand adds to our environment, so the newcomer's is set by a program of its own.
  const assignments = Object.entries(place.env).map(([name, value]) => `${name}=${value ?? ''}`)
  const outcome = await runCommand({
    name: 'npm test',
    run: ['env', '-i', ...assignments, ...run],
    cwd: place.clone,
    ...place.account,
  })
  if (!outcome.ok) throw new Error(outcome.output)
}
