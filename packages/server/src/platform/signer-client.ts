import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import type { Documents } from '@bascule/trust/tuf/publish.ts'
import type { PublishRefusal } from '@bascule/trust/tuf/publish-checks.ts'
import { lineSplitter } from '#/signer/lines.ts'
import {
  type SignItem,
  type SignResult,
  type SignerAnswer,
  type SignerStatus,
  signBatchMax,
  signerLineMaxBytes,
} from '#/signer/protocol.ts'

import type { Recovered, SeenVersions } from '#/signer/repository/open-repository.ts'
import type { RepositoryFile } from '#/signer/repository/repository-files.ts'

export type { SignItem, SignResult } from '#/signer/protocol.ts'

/** The server's way to the signer. It holds no key; what comes back is verified by every device by itself. */
export interface SignerClient extends AsyncDisposable {
  status(): Promise<SignerStatus>
  /**
   * Signs one assignment per item; the answers have the order of the items, and a refusal is an answer. Calls that
   * come together share one batch. Rejects when the signer does not answer in time; asking again for the very same
   * content is harmless.
   */
  signAssignments(items: readonly SignItem[]): Promise<readonly SignResult[]>
  /** Publishes documents that people signed, and answers the new files. The very same may be asked again. */
  publish(documents: Documents, seen?: SeenVersions): Promise<Result<readonly RepositoryFile[], PublishRefusal>>
  /** Gives the signer files that a device has kept, after a restore; answers what is published again because of them. */
  recover(files: Readonly<Record<string, string>>): Promise<Result<Recovered, PublishRefusal>>
  /** All metadata that a device without any needs; empty before the first ceremony. */
  repositoryFiles(): Promise<readonly RepositoryFile[]>
}

export interface SignerClientOptions {
  /** How long a request may take, reconnecting included. */
  readonly timeoutMs?: number
}

interface Waiting {
  readonly item: SignItem
  readonly resolve: (result: SignResult) => void
  readonly reject: (error: unknown) => void
}

/** Connects when the first request comes and again whenever the signer was away. */
export function connectSigner(socketPath: string, { timeoutMs = 10_000 }: SignerClientOptions = {}): SignerClient {
  const line = signerLine(socketPath, timeoutMs)
  const queue: Waiting[] = []
  let isPumping = false

  async function pump(): Promise<void> {
    if (isPumping) return
    isPumping = true
    // One batch at a time: whatever arrives meanwhile shares the next one, and one durable write of the signer.
    while (queue.length > 0) await signTogether(line, takeBatch(queue))
    isPumping = false
  }

  return {
    async status() {
      const answer = await line.ask({ type: 'status' })
      if ('status' in answer) return answer.status
      throw new Error(`Asking the signer for its status: ${JSON.stringify(answer)}`)
    },
    async signAssignments(items) {
      const results = items.map(
        (item) => new Promise<SignResult>((resolve, reject) => queue.push({ item, resolve, reject })),
      )
      const all = Promise.all(results)
      void pump()
      return await all
    },
    async publish(documents, seen) {
      const answer = await line.ask({ type: 'publish', documents, ...(seen ? { seen } : {}) })
      if ('files' in answer) return ok(answer.files)
      if ('publishRefusal' in answer) return refuse(answer.publishRefusal)
      throw new Error(`Asking the signer to publish: ${JSON.stringify(answer)}`)
    },
    async recover(files) {
      const answer = await line.ask({ type: 'recover', files })
      if ('recovered' in answer) return ok(answer.recovered)
      if ('publishRefusal' in answer) return refuse(answer.publishRefusal)
      throw new Error(`Asking the signer to recover its files: ${JSON.stringify(answer)}`)
    },
    async repositoryFiles() {
      const answer = await line.ask({ type: 'repositoryFiles' })
      if ('files' in answer) return answer.files
      throw new Error(`Asking the signer for its metadata: ${JSON.stringify(answer)}`)
    },
    async [Symbol.asyncDispose]() {
      await line[Symbol.asyncDispose]()
    },
  }
}

/** A line has room for this much; a batch of ordinary assignments is far below. */
const batchMaxChars = signerLineMaxBytes / 4

/** The next batch from the front of the queue. A second assignment of the same device waits for the next batch. */
function takeBatch(queue: Waiting[]): readonly Waiting[] {
  const devices = new Set<string>()
  let chars = 0
  let count = 0
  for (const { item } of queue) {
    chars += JSON.stringify(item).length
    if (count === signBatchMax || devices.has(item.device) || (count > 0 && chars > batchMaxChars)) break
    devices.add(item.device)
    count += 1
  }
  return queue.splice(0, count)
}

async function signTogether(line: SignerLine, batch: readonly Waiting[]): Promise<void> {
  try {
    const answer = await line.ask({ type: 'signAssignments', items: batch.map(({ item }) => item) })
    for (const [index, { item, resolve, reject }] of batch.entries()) {
      const result = resultAt(answer, index, item)
      if (result) resolve(result)
      else reject(new Error('Asking the signer for a signature: it answered something else'))
    }
  } catch (error) {
    for (const { reject } of batch) reject(error)
  }
}

function resultAt(answer: SignerAnswer, index: number, { device }: SignItem): SignResult | undefined {
  if ('refusal' in answer) return { device, refusal: answer.refusal }
  const result = 'results' in answer ? answer.results[index] : undefined
  return result?.device === device ? result : undefined
}

type Question =
  | { readonly type: 'status' }
  | { readonly type: 'signAssignments'; readonly items: readonly SignItem[] }
  | { readonly type: 'publish'; readonly documents: Documents; readonly seen?: SeenVersions }
  | { readonly type: 'repositoryFiles' }
  | { readonly type: 'recover'; readonly files: Readonly<Record<string, string>> }

interface SignerLine extends AsyncDisposable {
  ask(question: Question): Promise<SignerAnswer>
}

/** Questions and answers over one connection. Every question may be asked again, so a lost connection costs only time. */
function signerLine(socketPath: string, timeoutMs: number): SignerLine {
  const closing = new AbortController()
  let connection: Promise<Connection> | undefined
  let lastId = 0

  async function attempt(text: string, id: number, signal: AbortSignal): Promise<SignerAnswer> {
    const mine = (connection ??= openConnection(socketPath))
    try {
      return await (await mine).exchange(text, id, signal)
    } catch (error) {
      // A late answer must not be taken for the next one, so a connection that failed once is not used again.
      if (connection === mine) connection = undefined
      void mine.then((open) => open.socket.destroy()).catch(() => undefined)
      throw error
    }
  }

  return {
    async ask(question) {
      const id = ++lastId
      const text = `${JSON.stringify({ id, ...question })}\n`
      const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), closing.signal])
      for (;;) {
        try {
          return await attempt(text, id, signal)
        } catch (cause) {
          if (signal.aborted)
            throw new Error(`Asking the signer at ${socketPath}: ${reasonOf(signal, cause)}`, { cause })
          await sleep(reconnectMs, undefined, { signal }).catch(() => undefined)
        }
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('the connection was closed here'))
      const open = await connection?.catch(() => undefined)
      open?.socket.destroy()
    },
  }
}

const reconnectMs = 100

interface Connection {
  readonly socket: Socket
  exchange(text: string, id: number, signal: AbortSignal): Promise<SignerAnswer>
}

async function openConnection(socketPath: string): Promise<Connection> {
  const socket = connect(socketPath)
  await once(socket, 'connect')
  const pending = new Map<number, { resolve: (answer: SignerAnswer) => void; reject: (error: unknown) => void }>()
  // The signer is ours and its answers are verified by the devices, so their form is not checked again here.
  const split = lineSplitter(4 * signerLineMaxBytes, (line) => {
    const answer = JSON.parse(line) as SignerAnswer
    pending.get(answer.id)?.resolve(answer)
  })
  socket.on('data', (chunk: Buffer) => {
    try {
      split(chunk)
    } catch (error) {
      socket.destroy(error as Error)
    }
  })
  // `close` follows every error and tells whoever waits.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    for (const { reject } of pending.values()) reject(new Error('the connection was lost'))
  })
  return {
    socket,
    async exchange(text, id, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<SignerAnswer>()
      const giveUp = () => {
        reject(signal.reason)
      }
      pending.set(id, { resolve, reject })
      signal.addEventListener('abort', giveUp, { once: true })
      try {
        if (signal.aborted) giveUp()
        else if (socket.destroyed) reject(new Error('the connection was lost'))
        else socket.write(text)
        return await promise
      } finally {
        pending.delete(id)
        signal.removeEventListener('abort', giveUp)
      }
    },
  }
}

function reasonOf(signal: AbortSignal, cause: unknown): string {
  const reason: unknown = signal.reason
  const isTimeout = reason instanceof DOMException && reason.name === 'TimeoutError'
  const detail = cause instanceof Error && cause !== reason ? ` (${cause.message})` : ''
  return isTimeout ? `no answer in time${detail}` : reason instanceof Error ? reason.message : String(reason)
}
