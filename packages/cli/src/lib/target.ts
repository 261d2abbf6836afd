import { readFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { failWith, type CliContext } from './context.ts'
import { exitCodes } from './exit-code.ts'
import type { ServerFlags } from './server-flags.ts'
import { openMemberHome } from './signing/member-home.ts'

export interface Target {
  readonly server: string
  readonly apiKey: string | undefined
  /** The cookie of a person who signed in with `bascule sign-in`; only where no API key is used. */
  readonly session?: string | undefined
}

/**
 * Which server, and with which key. A key in a file or in the environment is not seen by other accounts of the machine,
 * as one on the command line is. Undefined after a sentence on stderr, with the exit code set.
 */
export function targetOf(
  context: CliContext,
  flags: ServerFlags,
  who: 'machine-first' | 'person-first' = 'machine-first',
): Target | undefined {
  const { env } = context.process
  const server = flags.server ?? env['BASCULE_SERVER']
  if (server === undefined) {
    const problem = 'Say where to: --server https://bascule.example or BASCULE_SERVER.'
    failWith(context, exitCodes.usage, flags.json, { kind: 'no-server', problem })
    return undefined
  }
  const session = openMemberHome(env).serverMemory(server).session()
  const isPerson = session !== undefined && flags.apiKey === undefined && flags.apiKeyFile === undefined
  const key = isPerson && who === 'person-first' ? { apiKey: undefined } : keyOf(context, flags)
  if (key === undefined) return undefined
  if (flags.apiKey !== undefined) {
    context.process.stderr.write(
      'Warning: others on this machine can read an API key on the command line. Use --api-key-file or BASCULE_API_KEY.\n',
    )
  }
  const secret = key.apiKey !== undefined ? 'the API key' : 'your session'
  if ((key.apiKey ?? session) !== undefined && isOpenToOthers(server)) {
    context.process.stderr.write(
      `Warning: ${server} is not https, so everybody on the way can read ${secret} and change what is answered.\n`,
    )
  }
  return { server, ...key, ...(key.apiKey === undefined && isPerson ? { session } : {}) }
}

/** What was said in this call counts before the environment. */
function keyOf(context: CliContext, flags: ServerFlags): Pick<Target, 'apiKey'> | undefined {
  const { env } = context.process
  if (flags.apiKey !== undefined) return { apiKey: flags.apiKey }
  if (flags.apiKeyFile !== undefined) return readKey(context, flags, flags.apiKeyFile)
  if (env['BASCULE_API_KEY'] !== undefined) return { apiKey: env['BASCULE_API_KEY'] }
  const file = env['BASCULE_API_KEY_FILE']
  return file === undefined ? { apiKey: undefined } : readKey(context, flags, file)
}

function readKey(context: CliContext, flags: ServerFlags, file: string): Pick<Target, 'apiKey'> | undefined {
  const fail = (why: string): undefined => {
    const problem = `The API key cannot be read from ${file}: ${why}`
    failWith(context, exitCodes.usage, flags.json, { kind: 'no-api-key-file', problem })
  }
  try {
    const apiKey = readFileSync(file, 'utf8').trim()
    return apiKey === '' ? fail('the file is empty.') : { apiKey }
  } catch (cause) {
    return fail(cause instanceof Error ? cause.message : String(cause))
  }
}

/** Whether what is said to this server leaves the machine without being encrypted. */
export function isOpenToOthers(server: string): boolean {
  const { protocol, hostname } = new URL(server)
  if (protocol === 'https:') return false
  const isThisMachine = hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]'
  return !isThisMachine && !(isIPv4(hostname) && hostname.startsWith('127.'))
}
