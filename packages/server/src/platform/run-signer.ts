import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type TufKey, TufKey as TufKeySchema } from '@bascule/contract/device/protocol.ts'
import * as z from 'zod'
import { socketPathMaxBytes } from '#/signer/protocol.ts'

export interface SignerProcess extends AsyncDisposable {
  readonly socketPath: string
  readonly directorKey: TufKey
}

export interface StartSignerOptions {
  readonly dataFolder: string
  readonly log: (line: string) => void
  /** How long to wait for a signer that still works in the folder. */
  readonly patienceMs?: number
}

/**
 * Runs the signer beside the server and waits until it answers. It is started again when it ends by itself, and ends
 * with this process, however that ends. Throws what the signer said when it refuses to start.
 */
export async function startSigner(options: StartSignerOptions): Promise<SignerProcess> {
  const place = makeSocketPlace(resolve(options.dataFolder))
  const state = { isStopping: false }
  const first = await spawnPatiently(options, place.socketPath)
  const watching = keepRunning(first.child, state, () => spawnPatiently(options, place.socketPath), options.log)
  return {
    socketPath: place.socketPath,
    directorKey: first.ready.directorKey,
    async [Symbol.asyncDispose]() {
      state.isStopping = true
      await watching.stop()
      place[Symbol.dispose]()
    },
  }
}

const Ready = z.object({ ready: z.literal(true), directorKey: TufKeySchema })
interface Running {
  readonly child: ChildProcess
  readonly ready: z.infer<typeof Ready>
}

const program = fileURLToPath(new URL('../signer.ts', import.meta.url))
const exitInUse = 75
const attemptPauseMs = 200

/** The signer of a server that was killed a moment ago may still be ending. */
async function spawnPatiently(options: StartSignerOptions, socketPath: string): Promise<Running> {
  const giveUpAt = performance.now() + (options.patienceMs ?? 5000)
  for (;;) {
    const outcome = await spawnOnce(options, socketPath)
    if ('ready' in outcome) return outcome
    if (outcome.exitCode !== exitInUse || performance.now() > giveUpAt) throw new Error(outcome.said)
    await sleep(attemptPauseMs)
  }
}

async function spawnOnce(
  { dataFolder, log }: StartSignerOptions,
  socketPath: string,
): Promise<Running | { readonly exitCode: number | null; readonly said: string }> {
  const args = [program, '--data', dataFolder, '--socket', socketPath, '--with-parent']
  // The signer gets no setting and no secret of the server.
  // In a group of its own, so that Ctrl-C in a terminal reaches the server alone, which then stops the signer in order.
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: neutralEnvironment(),
    detached: true,
  })
  const said: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line)
    log(line)
  })
  // The child may be gone before its input is closed; its exit is what counts.
  child.stdin.on('error', () => undefined)
  const gone = once(child, 'close')
  const lines = createInterface({ input: child.stdout })
  const line = await Promise.race([once(lines, 'line'), gone.then(() => undefined)])
  if (line === undefined) return { exitCode: child.exitCode, said: said.join(' ') || 'The signer ended at its start.' }
  return { child, ready: Ready.parse(JSON.parse(String(line[0]))) }
}

function keepRunning(
  first: ChildProcess,
  state: { readonly isStopping: boolean },
  again: () => Promise<Running>,
  log: (line: string) => void,
): { stop: () => Promise<void> } {
  let child = first
  const done = (async () => {
    for (;;) {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      if (state.isStopping) return
      log(`The signer ended by itself (${child.signalCode ?? child.exitCode}) and is started again.`)
      await sleep(attemptPauseMs)
      try {
        child = (await again()).child
      } catch (error) {
        log(`The signer does not start: ${error instanceof Error ? error.message : String(error)}`)
        await sleep(25 * attemptPauseMs)
      }
      if (state.isStopping) child.stdin?.end()
    }
  })()
  return {
    async stop() {
      child.stdin?.end()
      const deadline = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await done
      clearTimeout(deadline)
    },
  }
}

function neutralEnvironment(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'TMPDIR', 'SystemRoot', 'LANG']
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
}

const noteName = 'socket-folder'
const prefix = 'bascule-signer-'

/**
 * The socket lies with the signer's files; when that path is too long for a socket, in a private folder elsewhere. A
 * note remembers that folder, and a later start uses it again: it never takes the socket from a signer that still lives.
 */
function makeSocketPlace(dataFolder: string): { readonly socketPath: string } & Disposable {
  const folder = join(dataFolder, 'signer')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const near = join(folder, 'signer.sock')
  if (Buffer.byteLength(near) <= socketPathMaxBytes) return { socketPath: near, [Symbol.dispose]: () => undefined }
  const note = join(folder, noteName)
  const noted = readNote(note)
  const short = noted !== undefined && isOurs(noted) ? noted : makeShortFolder(note)
  return {
    socketPath: join(short, 'signer.sock'),
    [Symbol.dispose]: () => {
      removeEmpty(short)
      rmSync(note, { force: true })
    },
  }
}

function makeShortFolder(note: string): string {
  const short = mkdtempSync(join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), prefix))
  writeFileSync(note, short, { mode: 0o600 })
  return short
}

/** After a restart of the machine anybody may own a folder of that name. */
function isOurs(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  return stat?.isDirectory() === true && stat.uid === process.geteuid?.() && (stat.mode & 0o077) === 0
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch (error) {
    // Gone after a restart of the machine, or somebody put something of theirs into it.
    if (!['ENOENT', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

function readNote(note: string): string | undefined {
  try {
    return readFileSync(note, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
