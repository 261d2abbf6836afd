import { parseArgs } from 'node:util'
import { systemClock } from '@bascule/domain/lib/clock.ts'
import { isStartRefusal } from '@bascule/postgres/refusal.ts'
import { type Signer, openSigner } from '#/signer/open-signer.ts'
import { serveSigner } from '#/signer/serve-signer.ts'
import { LogUnwritable } from '#/signer/signer-log.ts'

/**
 * The signer: the one process that holds the online keys. It listens on a unix socket, answers four questions, signs
 * only what it wrote itself, and publishes only what a quorum of people signed. It runs as an operating system user of
 * its own in production.
 *
 * `node signer.ts --data <folder> --socket <path> [--with-parent]`; with `--with-parent` it ends when its standard
 * input closes. It prints one JSON line when it is ready.
 */
const exitInUse = 75

function readOptions(): { data: string; socket: string; withParent: boolean } {
  const options = { data: { type: 'string' }, socket: { type: 'string' }, 'with-parent': { type: 'boolean' } } as const
  const { values } = parseArgs({ options, strict: true })
  if (values.data === undefined || values.socket === undefined) {
    throw new Error('The signer needs --data <folder> and --socket <path>.')
  }
  return { data: values.data, socket: values.socket, withParent: values['with-parent'] === true }
}

/** Resolves when somebody wants the process to end in order. */
function askedToStop(withParent: boolean): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', resolve)
    // Ctrl-C reaches the whole group; a child leaves the order of stopping to its parent.
    process.on('SIGINT', () => {
      if (!withParent) resolve()
    })
    if (withParent) process.stdin.resume().on('close', resolve).on('end', resolve)
  })
}

function endAtOnce(error: unknown): never {
  process.stderr.write(`The signer ends: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(isStartRefusal(error) && error.code === 'data-folder-in-use' ? exitInUse : 1)
}

function printReady(signer: Signer, socketPath: string): void {
  const { directorKey } = signer.status()
  process.stdout.write(`${JSON.stringify({ ready: true, socketPath, directorKey })}\n`)
}

const renewEveryMs = 60_000

/** Online roles are renewed without anybody asking; a refusal or a full disk is told, and tried again a minute later. */
function keepFresh(signer: Signer): Disposable {
  const renew = () => {
    try {
      const renewed = signer.repository.renew()
      if (!renewed.ok) process.stderr.write(`The metadata was not renewed: ${renewed.error.fact}\n`)
    } catch (error) {
      if (!(error instanceof LogUnwritable)) endAtOnce(error)
      process.stderr.write(`The metadata was not renewed: ${error.message}\n`)
    }
  }
  renew()
  const timer = setInterval(renew, renewEveryMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

process.umask(0o077)
try {
  const { data, socket, withParent } = readOptions()
  const stopping = askedToStop(withParent)
  using signer = openSigner(data, systemClock)
  await using _server = await serveSigner(signer, socket, endAtOnce)
  using _renewing = keepFresh(signer)
  printReady(signer, socket)
  await stopping
} catch (error) {
  endAtOnce(error)
}
// Everything is closed; the input of the parent may still be open and must not keep the process.
process.exit(0)
