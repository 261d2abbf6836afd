import { hostname } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { FolderInUse } from './data-lock.ts'
import { agentVersion } from './inventory/inventory.ts'
import { currentPlatform } from './platform/platform.ts'
import { NotEnrolled, openDevice, run, type AgentOptions } from './run.ts'
import { describeStatus, readStatus } from './status.ts'

/** Exit codes, each with one meaning; `docs/operate/agent.md` lists them. */
const exitCodes = { good: 0, internal: 70, usage: 64, notEnrolled: 69, folder: 73, inUse: 75 } as const

const usage = `bascule-agent ${agentVersion}

  bascule-agent run     [--server URL --token TOKEN] [--data DIR] [--root DIR] [--name NAME]
  bascule-agent enrol   --server URL --token TOKEN [--data DIR] [--root DIR] [--name NAME]
  bascule-agent status  [--data DIR] [--json]

  --data DIR      where the agent keeps its key and journal (default /var/lib/bascule-agent)
  --root DIR      where software is installed (default /opt/bascule)
  --name NAME     how the device is called (default: the host name)
  --every SEC     trials: never longer than this between two check-ins or two tries
  --facts FILE    trials: a JSON file whose facts are added or take the place of what was found
  --json          status as one JSON document
`

async function main(): Promise<number> {
  process.umask(0o022)
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

function parse() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        server: { type: 'string' },
        token: { type: 'string' },
        data: { type: 'string' },
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
    if (values.server !== undefined && !URL.canParse(values.server))
      return '--server is an address such as https://bascule.example.'
    return { command, values, options: optionsFrom(values, every * 1000) }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function optionsFrom(
  values: { server?: string; token?: string; data?: string; root?: string; name?: string; facts?: string },
  everyMs: number,
): AgentOptions {
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stop.abort(new Error(`stopped by ${signal}`))
    })
  }
  return {
    server: values.server ?? null,
    token: values.token ?? process.env['BASCULE_TOKEN'] ?? null,
    data: path.resolve(values.data ?? '/var/lib/bascule-agent'),
    root: path.resolve(values.root ?? '/opt/bascule'),
    name: values.name ?? hostname(),
    everyMs,
    factsFile: values.facts ?? process.env['BASCULE_FACTS'] ?? null,
    signal: stop.signal,
    log: (line) => process.stderr.write(`${new Date().toISOString()} ${line}\n`),
  }
}

function status(data: string, asJson: boolean): number {
  const found = readStatus(data, currentPlatform())
  process.stdout.write(asJson ? `${JSON.stringify(found, null, 2)}\n` : describeStatus(found))
  return found.enrolled ? exitCodes.good : exitCodes.notEnrolled
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
  if (error instanceof NotEnrolled) return exitCodes.notEnrolled
  const code = (error as NodeJS.ErrnoException | null)?.code
  return ['ENOSPC', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EDQUOT', 'ENOTDIR'].includes(code ?? '')
    ? exitCodes.folder
    : exitCodes.internal
}

try {
  process.exitCode = await main()
} catch (error) {
  const isExpected = exitCodeOf(error) !== exitCodes.internal
  const text = error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error)
  process.stderr.write(`bascule-agent: ${text}\n`)
  process.exitCode = exitCodeOf(error)
}
// What is still open (an idle connection, the lock) must not hold up the end.
process.exit()
