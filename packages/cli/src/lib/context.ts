import type { CommandContext, StricliProcess } from '@stricli/core'

/** What every command gets as `this`: the process, and nothing that would have to be closed. */
export interface CliContext extends CommandContext {
  readonly process: StricliProcess & NodeJS.Process
}

/** Prints the result: one JSON line for programs, or sentences for people. */
export function printResult(context: CliContext, asJson: boolean, value: unknown, sentences: readonly string[]): void {
  context.process.stdout.write(asJson ? `${JSON.stringify(value)}\n` : `${sentences.join('\n')}\n`)
}

/** Ends the command with a sentence on stderr; with `--json` the same is on stdout for programs. */
export function failWith(
  context: CliContext,
  exitCode: number,
  asJson: boolean,
  error: { readonly kind: string; readonly problem: string },
): void {
  if (asJson) context.process.stdout.write(`${JSON.stringify({ error })}\n`)
  context.process.stderr.write(`${error.problem}\n`)
  context.process.exitCode = exitCode
}
