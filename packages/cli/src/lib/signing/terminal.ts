import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import type { CliContext } from '#/lib/context.ts'

/** Whether somebody sits in front of this command and can be asked. */
export function canAsk({ process }: CliContext): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/** Asks a question on the terminal; what is typed is seen. */
export async function ask({ process }: CliContext, question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await lines.question(question)).trim()
  } finally {
    lines.close()
  }
}

/** Asks for a secret: nothing that is typed appears, and Ctrl-C ends the command. */
export async function askSecret({ process }: CliContext, question: string): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.resume()
  let typed = ''
  try {
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      const outcome = afterKeys(typed, String(chunk))
      if (outcome.isAborted) process.exit(130)
      typed = outcome.typed
      if (outcome.isDone) return typed
    }
    return typed
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

/** What stands there after these keys: a pasted secret comes as one chunk. */
export function afterKeys(before: string, keys: string): { typed: string; isDone: boolean; isAborted: boolean } {
  let typed = before
  for (const key of keys) {
    if (key === '\r' || key === '\n' || key === '\u0004') return { typed, isDone: true, isAborted: false }
    if (key === '\u0003') return { typed: '', isDone: true, isAborted: true }
    if (key === '\u007F' || key === '\b') typed = Array.from(typed).slice(0, -1).join('')
    else if (key >= ' ') typed += key
  }
  return { typed, isDone: false, isAborted: false }
}

/** The first line of a file that holds a secret. Throws with a sentence when there is none. */
export function readSecretFile(path: string): string {
  const [line = ''] = readFileSync(path, 'utf8').split(/\r?\n/)
  if (line === '') throw new Error(`${path} is empty.`)
  return line
}

/** Everything that is piped in; for what a person would otherwise type in several lines. */
export async function readPiped({ process }: CliContext): Promise<string> {
  return await text(process.stdin)
}
