import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { failWith, type CliContext } from './context.ts'
import { exitCodes } from './exit-code.ts'

/**
 * Runs a program of the server that lies beside this command line, with our own input and output, and ends as it ends.
 * A signal for us is its business: it gets the same one from the terminal, and from here what came to us alone.
 */
export async function runServerProgram(context: CliContext, name: string, args: readonly string[]): Promise<void> {
  const file = fileURLToPath(new URL(`../../../server/src/${name}.ts`, import.meta.url))
  if (!existsSync(file)) {
    const problem = `There is no server beside this command line (${file}); run this where Bascule is installed.`
    failWith(context, exitCodes.failed, false, { kind: 'no-server-program', problem })
    return
  }
  const child = spawn(process.execPath, [file, ...args], { stdio: 'inherit' })
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, pass)
  const [code] = (await once(child, 'exit')) as [number | null]
  for (const signal of signals) process.off(signal, pass)
  context.process.exitCode = code ?? exitCodes.failed
}
