import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

export interface Outcome {
  readonly out: string
  readonly err: string
  readonly exitCode: number
  /** The result of a command with `--json`. */
  readonly json: () => unknown
}

/** Runs the real command line in a process of its own; nobody sits at its terminal. */
export async function runBascule(
  args: readonly string[],
  environment: Record<string, string>,
  input = '',
): Promise<Outcome> {
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env['PATH'], ...environment } })
  child.stdin.end(input)
  const [out, err, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { out, err, exitCode: exitCode as number, json: () => JSON.parse(out) as unknown }
}
