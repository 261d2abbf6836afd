import { parseArgs } from 'node:util'
import { systemClock } from '@bascule/domain/lib/clock.ts'
import { isStartRefusal } from '@bascule/postgres/refusal.ts'
import { type Signer, openSigner } from '#/signer/open-signer.ts'
import { serveSigner } from '#/signer/serve-signer.ts'

/**
 * The signer: the one process that holds the director key. It listens on a unix socket, answers two questions and signs
 * only what it wrote itself. It runs as an operating system user of its own in production.
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

process.umask(0o077)
try {
  const { data, socket, withParent } = readOptions()
  const stopping = askedToStop(withParent)
  using signer = openSigner(data, systemClock)
  await using _server = await serveSigner(signer, socket, endAtOnce)
  printReady(signer, socket)
  await stopping
} catch (error) {
  endAtOnce(error)
}
// Everything is closed; the input of the parent may still be open and must not keep the process.
process.exit(0)
