import { once } from 'node:events'
import { isStartRefusal } from '@bascule/postgres/refusal.ts'
import { destination, pino } from 'pino'
import type { Logger } from 'pino'
import { features } from './features.ts'
import { readConfig, unknownSettings } from './platform/config.ts'
import type { Config } from './platform/config.ts'
import { openDatabase } from './platform/db/open-database.ts'
import { holdDatabase } from './platform/hold-database.ts'
import { ensureFirstAdministratorCode, welcomeLink } from './platform/identity/one-time-code.service.ts'
import { startSigner } from './platform/run-signer.ts'
import { prepareServer } from './platform/serve.ts'

const drainMs = 10_000

/** Runs a server until it is told to stop; answers its exit code. */
async function run(config: Config, log: Logger): Promise<number> {
  const stopped = firstSignal()
  await using database = await openDatabase({ dataFolder: config.dataFolder, databaseUrl: config.databaseUrl, log })
  await using held = await holdDatabase({ connection: database.connection, log })
  await using signer = await openSigner(config, log)
  const { signerSocket } = signer
  await using server = await prepareServer({ config, database, log, features, signerSocket })
  const url = await server.listen()
  const code = await ensureFirstAdministratorCode(database.db, server.services.now())
  const welcome = code === undefined ? undefined : welcomeLink(url, code)
  announce(config, log, url, welcome)
  const ended = database.ended.then((how) => `the database ended: ${how}`)
  const reason = await Promise.race([stopped, ended, held.lost])
  log.info({ reason }, 'stopping')
  limitDrain(log)
  return reason.startsWith('SIG') ? 0 : 1
}

/** The signer that runs somewhere already, or one of our own beside this server. */
async function openSigner(
  { signerSocket, dataFolder }: Config,
  log: Logger,
): Promise<AsyncDisposable & { signerSocket: string }> {
  if (signerSocket !== undefined) return { signerSocket, [Symbol.asyncDispose]: () => Promise.resolve() }
  const signer = await startSigner({
    dataFolder,
    log: (line) => {
      log.info({ line }, 'signer')
    },
  })
  return { signerSocket: signer.socketPath, [Symbol.asyncDispose]: () => signer[Symbol.asyncDispose]() }
}

function announce(config: Config, log: Logger, url: string, welcome: string | undefined): void {
  log.info({ url }, 'the server answers')
  if (config.readyJson) process.stdout.write(`${JSON.stringify({ ready: true, url, welcome })}\n`)
  else if (welcome !== undefined) {
    process.stdout.write(`There is no administrator yet. Become the first with this link, within a day:\n${welcome}\n`)
  }
}

/** Errors of the database carry their connection with them, which nobody wants to read. */
function describeError(error: Error): object {
  const { type, message, stack, code } = pino.stdSerializers.err(error)
  return { type, message, code, stack }
}

async function firstSignal(): Promise<string> {
  const signals = ['SIGTERM', 'SIGINT'] as const
  return await Promise.race(signals.map((signal) => once(process, signal).then(() => signal)))
}

/** Whoever does not finish in time is cut off; nothing that was acknowledged depends on it. */
function limitDrain(log: Logger): void {
  const timer = setTimeout(() => {
    log.warn('the server did not stop in time and ends now')
    process.exit(1)
  }, drainMs)
  timer.unref()
}

const config = readConfig(process.argv.slice(2), process.env)
if (config.ok) {
  const log = pino(
    {
      level: config.value.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError },
    },
    destination(2),
  )
  for (const name of unknownSettings(process.env)) log.warn({ name }, 'this is not a setting of the server')
  try {
    process.exitCode = await run(config.value, log)
  } catch (cause) {
    if (isStartRefusal(cause)) process.stderr.write(`${cause.message}\n`)
    else log.fatal({ err: cause }, 'the server failed')
    process.exitCode = 1
  }
} else {
  process.stderr.write(`The configuration is not right:\n${config.error.map((problem) => `- ${problem}\n`).join('')}`)
  process.exitCode = 2
}
