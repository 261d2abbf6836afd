import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from './root.ts'

export interface Command {
  readonly name: string
  readonly run: readonly [string, ...string[]]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly uid?: number
  readonly gid?: number
  /** Prints as it goes, for what takes minutes; otherwise the output is kept and shown only after a failure. */
  readonly live?: boolean
}

export interface Outcome {
  readonly name: string
  readonly ok: boolean
  readonly seconds: number
  readonly output: string
}

/** Runs one command to its end. A failure is an outcome, not an exception. */
export async function runCommand(command: Command): Promise<Outcome> {
  const startedAt = performance.now()
  const [program, ...args] = command.run
  const child = spawn(program, args, {
    cwd: command.cwd ?? root,
    env: { ...process.env, ...command.env },
    uid: command.uid,
    gid: command.gid,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output += text
      if (command.live) process.stdout.write(text)
    })
  }
  const ok = await endedWell(child)
  return { name: command.name, ok, seconds: (performance.now() - startedAt) / 1000, output }
}

async function endedWell(child: ReturnType<typeof spawn>): Promise<boolean> {
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return code === 0
  } catch (cause) {
    process.stderr.write(`${String(cause)}\n`)
    return false
  }
}

/** Runs commands side by side, at most `width` at a time, and tells each as it ends. */
export async function runTogether(commands: readonly Command[], width: number): Promise<Outcome[]> {
  const waiting = [...commands]
  const outcomes: Outcome[] = []
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const outcome = await runCommand(next)
      tell(outcome)
      outcomes.push(outcome)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return outcomes
}

export function tell(outcome: Outcome): void {
  console.log(
    `${outcome.ok ? 'ok    ' : 'FAILED'} ${outcome.name.padEnd(28)} ${outcome.seconds.toFixed(1).padStart(6)} s`,
  )
}

/** What failed, at the end, where somebody looks. */
export function tellFailures(outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes.filter((one) => !one.ok)) {
    console.log(`\n--- ${outcome.name} failed ---\n${outcome.output.trimEnd()}`)
  }
}
