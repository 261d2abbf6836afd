import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../lib/root.ts'

export interface StartOptions {
  readonly dataFolder: string
  readonly port: number
  readonly demo: boolean
  /** How long each phase of the demo soaks: seconds for a program that waits, longer for people who look on. */
  readonly soakSeconds: number
}

const usage = 'npm start -- [--empty] [--port <number>] [--data <folder>]'

/** Reads what stands behind `npm start --`; throws a sentence with the usage. Relative folders count from where npm was called. */
export function readOptions(args: readonly string[]): StartOptions {
  const { values } = parse(args)
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port ${values.port} is not a port.\n${usage}`)
  const from = process.env['INIT_CWD'] ?? root
  return {
    dataFolder: values.data === undefined ? resolve(root, 'data') : resolve(from, values.data),
    port,
    demo: !values.empty,
    soakSeconds: 30,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        empty: { type: 'boolean', default: false },
        port: { type: 'string', default: '8080' },
        data: { type: 'string' },
      },
    })
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n${usage}`, { cause })
  }
}
