import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { type Server, type Socket, connect, createServer } from 'node:net'
import { unreachable } from '@bascule/domain/lib/result.ts'
import type { Documents } from '@bascule/trust/tuf/publish.ts'
import { lineSplitter } from './lines.ts'
import type { Signer } from './open-signer.ts'
import { type SignerAnswer, SignerRequest, signerLineMaxBytes, socketPathMaxBytes } from './protocol.ts'
import { LogUnwritable } from './signer-log.ts'

/**
 * Answers the typed requests of the server on a unix socket of mode 0600. An error that is not the caller's fault goes
 * to `onFatal`: a signer that does not know what it has recorded must end and read its log again.
 */
export async function serveSigner(
  signer: Signer,
  socketPath: string,
  onFatal: (error: unknown) => void,
): Promise<AsyncDisposable> {
  await makeWay(socketPath)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // The server went away in the middle of a sentence; it connects again by itself.
    socket.on('error', () => socket.destroy())
    const split = lineSplitter(signerLineMaxBytes, (line) => {
      if (!socket.destroyed) answerLine(signer, socket, line, onFatal)
    })
    socket.on('data', (chunk: Buffer) => {
      try {
        split(chunk)
      } catch {
        // Only an over-long line throws, and nothing after it can be understood.
        socket.destroy()
      }
    })
  })
  server.listen(socketPath)
  await once(server, 'listening')
  chmodSync(socketPath, 0o600)
  return { [Symbol.asyncDispose]: () => stop(server, sockets) }
}

function answerLine(signer: Signer, socket: Socket, line: string, onFatal: (error: unknown) => void): void {
  try {
    socket.write(`${JSON.stringify(answer(signer, line))}\n`)
  } catch (error) {
    socket.destroy()
    onFatal(error)
  }
}

function answer(signer: Signer, line: string): SignerAnswer {
  const raw = parsed(line)
  const request = SignerRequest.safeParse(raw)
  if (!request.success) {
    const issue = request.error.issues[0]
    const message = `The request is not understood: ${issue?.path.map(String).join('.')} ${issue?.message}.`
    return { id: idOf(raw), refusal: { code: 'bad-request', message } }
  }
  try {
    return answerTo(signer, request.data)
  } catch (error) {
    if (!(error instanceof LogUnwritable)) throw error
    const { id } = request.data
    return { id, refusal: { code: 'log-unwritable', message: `${error.message}. Nothing was signed.` } }
  }
}

function answerTo(signer: Signer, request: SignerRequest): SignerAnswer {
  const { id } = request
  switch (request.type) {
    case 'status':
      return { id, status: signer.status() }
    case 'signAssignments':
      return { id, results: signer.sign(request.items) }
    case 'publish': {
      // The form is judged by the checks themselves, with a rule and a sentence.
      const published = signer.repository.publish(request.documents as unknown as Documents, request.seen)
      return published.ok ? { id, files: published.value } : { id, publishRefusal: published.error }
    }
    case 'repositoryFiles':
      return { id, files: signer.repository.filesForNewcomers() }
    case 'recover': {
      const recovered = signer.repository.recover(request.files)
      return recovered.ok ? { id, recovered: recovered.value } : { id, publishRefusal: recovered.error }
    }
    default:
      return unreachable(request)
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // The schema refuses `undefined` with a sentence.
    return undefined
  }
}

function idOf(raw: unknown): number {
  const id = (raw as { id?: unknown } | null | undefined)?.id
  return typeof id === 'number' ? id : -1
}

/** Removes the socket of a killed signer. A living one, or a file that is no socket, stays and refuses the start. */
async function makeWay(socketPath: string): Promise<void> {
  if (Buffer.byteLength(socketPath) > socketPathMaxBytes) {
    throw new Error(
      `The socket path ${socketPath} is longer than ${socketPathMaxBytes} bytes; choose a shorter --socket.`,
    )
  }
  const stat = lstatSync(socketPath, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isSocket()) throw new Error(`${socketPath} is not a socket; choose another --socket.`)
  if (await isAnswered(socketPath))
    throw new Error(`Another program listens on ${socketPath}; choose another --socket.`)
  rmSync(socketPath)
}

async function isAnswered(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    // Refused: whoever made the socket is dead.
    return false
  } finally {
    socket.destroy()
  }
}

async function stop(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  // Requests are answered within one turn, so nothing is under way here except bytes that still flow out.
  for (const socket of sockets) socket.destroySoon()
  await closed
}
