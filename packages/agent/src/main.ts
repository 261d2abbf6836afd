import { hostname } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { WrongRoot } from './authority/anchor.ts'
import { TokenUnreadable, type TokenSource } from './check-in/credentials.ts'
import { FolderInUse } from './data-lock.ts'
import { agentVersion } from './agent-version.ts'
import { currentPlatform } from './platform/platform.ts'
import { UnknownRecord } from './journal/state.ts'
import { NotEnrolled, openDevice, run, type AgentOptions } from './run.ts'
import { tufConformance } from './tuf-conformance.ts'
import { describeStatus, readStatus, type Status } from './status.ts'

/** Exit codes, each with one meaning; `docs/operate/agent.md` lists them. */
const exitCodes = { good: 0, refused: 1, internal: 70, usage: 64, notEnrolled: 69, folder: 73, inUse: 75 } as const

const usage = `bascule-agent ${agentVersion}

  bascule-agent run     [--server URL --token-file FILE] [--data DIR] [--root DIR] [--name NAME]
  bascule-agent enrol   --server URL --token-file FILE [--data DIR] [--root DIR] [--name NAME]
  bascule-agent status  [--data DIR] [--json]
  bascule-agent tuf-conformance  as the conformance suite of TUF calls it

  --server URL    the server; needed once, and to move to another address of the same server
  --token-file F  file with the enrolment token; needed once. Also BASCULE_TOKEN, or --token TOKEN
                  (a token on the command line can be seen by every account of the machine)
  --root-sha256 X fingerprint of the root of the release boards, as the custodians printed it.
                  Also BASCULE_ROOT_SHA256. Without it the device trusts the root that it first gets
  --data DIR      where the agent keeps its key and journal (default /var/lib/bascule-agent)
  --root DIR      where software is installed (default /opt/bascule)
  --name NAME     how the device is called (default: the host name)
  --every SEC     trials: never longer than this between two check-ins or two tries
  --facts FILE    trials: a JSON file whose facts are added or take the place of what was found
  --json          status as one JSON document
`

async function main(): Promise<number> {
  process.umask(0o022)
  // The conformance suite has a command line of its own.
  if (process.argv[2] === 'tuf-conformance') return await conformance(process.argv.slice(3))
  const parsed = parse()
  if (typeof parsed === 'string') {
    process.stderr.write(`${parsed}\n\n${usage}`)
    return exitCodes.usage
  }
  const { command, values, options } = parsed
  if (values.help === true || command === 'help') {
    process.stdout.write(usage)
    return exitCodes.good
  }
  if (command === 'status') return status(options.data, values.json === true)
  if (command === 'enrol') return await enrolOnly(options)
  return await runUntilStopped(options)
}

async function conformance(args: readonly string[]): Promise<number> {
  try {
    await tufConformance(args)
    return exitCodes.good
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return exitCodes.refused
  }
}

function parse() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        server: { type: 'string' },
        token: { type: 'string' },
        'token-file': { type: 'string' },
        data: { type: 'string' },
        'root-sha256': { type: 'string' },
        root: { type: 'string' },
        name: { type: 'string' },
        every: { type: 'string' },
        facts: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const command = positionals[0] ?? 'run'
    if (!['run', 'enrol', 'status', 'help'].includes(command) || positionals.length > 1) {
      return `There is no command "${positionals.join(' ')}".`
    }
    const every = values.every === undefined ? Number.POSITIVE_INFINITY : Number(values.every)
    if (!(every > 0)) return '--every is a number of seconds above 0.'
    if (values.server !== undefined && !/^https?:$/.test(URL.parse(values.server)?.protocol ?? ''))
      return '--server is an address such as https://bascule.example.'
    if (values.token !== undefined && values['token-file'] !== undefined)
      return 'The token comes from --token-file or from --token, not from both.'
    const rootSha256 = rootSha256From(values)
    if (rootSha256 !== null && !/^[0-9a-f]{64}$/.test(rootSha256))
      return 'The fingerprint of the root has 64 hexadecimal digits.'
    return { command, values, options: optionsFrom(values, every * 1000) }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

interface Values {
  readonly server?: string
  readonly token?: string
  readonly 'token-file'?: string
  readonly data?: string
  readonly 'root-sha256'?: string
  readonly root?: string
  readonly name?: string
  readonly facts?: string
}

function optionsFrom(values: Values, everyMs: number): AgentOptions {
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stop.abort(new Error(`stopped by ${signal}`))
    })
  }
  return {
    server: values.server ?? null,
    token: tokenFrom(values),
    data: path.resolve(values.data ?? '/var/lib/bascule-agent'),
    root: path.resolve(values.root ?? '/opt/bascule'),
    name: values.name ?? hostname(),
    rootSha256: rootSha256From(values),
    everyMs,
    factsFile: values.facts ?? process.env['BASCULE_FACTS'] ?? null,
    signal: stop.signal,
    log: (line) => process.stderr.write(`${new Date().toISOString()} ${line}\n`),
  }
}

/** People copy it with spaces or colons between the digits. */
function rootSha256From(values: Values): string | null {
  const text = values['root-sha256'] ?? process.env['BASCULE_ROOT_SHA256'] ?? ''
  return text === '' ? null : text.replaceAll(/[\s:]/g, '').toLowerCase()
}

/** The command line is more particular than what the environment happens to hold. */
function tokenFrom(values: Values): TokenSource | null {
  const text = values.token ?? process.env['BASCULE_TOKEN']
  if (values['token-file'] !== undefined) return { file: path.resolve(values['token-file']) }
  return text === undefined || text === '' ? null : { text }
}

function status(data: string, asJson: boolean): number {
  const found = statusOf(data)
  process.stdout.write(asJson ? `${JSON.stringify(found, null, 2)}\n` : describeStatus(found))
  return found.enrolled ? exitCodes.good : exitCodes.notEnrolled
}

function statusOf(data: string): Status {
  try {
    return readStatus(data, currentPlatform())
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
    throw Object.assign(
      new Error(`${data} belongs to the account of the agent: ask as that account, or as root.`, { cause: error }),
      { code: 'EACCES' },
    )
  }
}

async function enrolOnly(options: AgentOptions): Promise<number> {
  const { journal } = await openDevice(options)
  journal.close()
  return exitCodes.good
}

async function runUntilStopped(options: AgentOptions): Promise<number> {
  await run(options)
  return exitCodes.good
}

function exitCodeOf(error: unknown): number {
  if (error instanceof FolderInUse) return exitCodes.inUse
  if (error instanceof NotEnrolled || error instanceof TokenUnreadable || error instanceof WrongRoot)
    return exitCodes.notEnrolled
  const code = (error as NodeJS.ErrnoException | null)?.code
  return ['ENOSPC', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EDQUOT', 'ENOTDIR'].includes(code ?? '')
    ? exitCodes.folder
    : exitCodes.internal
}

try {
  process.exitCode = await main()
} catch (error) {
  const isExpected = exitCodeOf(error) !== exitCodes.internal || error instanceof UnknownRecord
  const text = error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error)
  process.stderr.write(`bascule-agent: ${text}\n`)
  process.exitCode = exitCodeOf(error)
}
// What is still open (an idle connection, the lock) must not hold up the end.
process.exit()
