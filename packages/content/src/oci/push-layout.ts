import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { blobPath, openLayoutBlob, readLayout, type BlobRef, type LayoutPackage } from './layout.ts'
import { describeProblem } from './package-problem.ts'

export type PushRefusal =
  /** The layout itself is not a package. */
  | { readonly kind: 'bad-package'; readonly problem: string }
  /** The server said no, with its own words. */
  | { readonly kind: 'refused'; readonly status: number; readonly problem: string }
  /** It did not answer, or not to the end, several times in a row. */
  | { readonly kind: 'unreachable'; readonly problem: string }

/** Remembers where an upload was begun, so that a later run goes on there. */
export interface UploadMemory {
  get(digest: string): string | undefined
  set(digest: string, location: string | undefined): void
}

export interface PushOrder {
  readonly layout: string
  /** Address of the server or of any OCI registry, without `/v2`. */
  readonly server: string
  readonly apiKey?: string | undefined
  readonly memory?: UploadMemory | undefined
  readonly onProgress?: ((sentBytes: number, totalBytes: number) => void) | undefined
  readonly pauseMs?: number
}

export interface PushOutcome {
  readonly name: string
  readonly version: string
  readonly indexDigest: string
  /** Bytes that went over the wire; what the server already had is not sent again. */
  readonly sentBytes: number
  readonly skippedBlobs: number
}

interface Push {
  readonly order: PushOrder
  readonly base: string
  readonly totalBytes: number
  sentBytes: number
  doneBytes: number
  skippedBlobs: number
}

/** Bytes per request: small enough for any proxy, large enough to keep the line busy. */
const partBytes = 33_554_432
const triesMax = 5

/** Uploads the package of a layout by the OCI distribution protocol: blobs, then manifests, then the index by its version. */
export async function pushLayout(order: PushOrder): Promise<Result<PushOutcome, PushRefusal>> {
  const layout = await readLayout(order.layout)
  if (!layout.ok) return refuse({ kind: 'bad-package', problem: layout.error.map(describeProblem).join('\n') })
  const { name, version, index, blobs } = layout.value
  const push: Push = {
    order,
    base: `${order.server.replace(/\/+$/, '')}/v2/${name}`,
    totalBytes: blobs.reduce((sum, blob) => sum + blob.size, 0),
    sentBytes: 0,
    doneBytes: 0,
    skippedBlobs: 0,
  }
  for (const blob of blobs) {
    const pushed = await pushBlob(push, blob)
    if (!pushed.ok) return pushed
  }
  const named = await pushManifests(push, layout.value)
  if (!named.ok) return named
  return ok({ name, version, indexDigest: index.digest, sentBytes: push.sentBytes, skippedBlobs: push.skippedBlobs })
}

async function pushManifests(push: Push, { manifests, index, version }: LayoutPackage) {
  for (const [ref, reference] of [...manifests.map((ref) => [ref, ref.digest] as const), [index, version] as const]) {
    const body = await readFile(blobPath(push.order.layout, ref.digest))
    const answer = await ask(push, `${push.base}/manifests/${reference}`, {
      method: 'PUT',
      body,
      headers: { 'content-type': ref.mediaType },
    })
    if (!answer.ok) return answer
    if (answer.value.status >= 300) return await refusedBy(answer.value)
  }
  return ok(undefined)
}

async function pushBlob(push: Push, blob: BlobRef): Promise<Result<undefined, PushRefusal>> {
  const before = push.doneBytes
  const head = await ask(push, `${push.base}/blobs/${blob.digest}`, { method: 'HEAD' })
  if (!head.ok) return head
  if (head.value.status === 200) {
    push.skippedBlobs += 1
    progress(push, before + blob.size)
    return ok(undefined)
  }
  if (head.value.status !== 404) return await refusedBy(head.value)

  const begun = await beginOrResume(push, blob)
  if (!begun.ok) return begun
  const sent = await sendParts(push, blob, begun.value)
  if (!sent.ok) return sent
  const url = new URL(sent.value)
  url.searchParams.set('digest', blob.digest)
  const done = await ask(push, url.href, { method: 'PUT' })
  push.order.memory?.set(blob.digest, undefined)
  if (!done.ok) return done
  if (done.value.status !== 201) return await refusedBy(done.value)
  progress(push, before + blob.size)
  return ok(undefined)
}

interface Begun {
  readonly location: string
  readonly offset: number
}

async function beginOrResume(push: Push, blob: BlobRef): Promise<Result<Begun, PushRefusal>> {
  const known = push.order.memory?.get(blob.digest)
  if (known !== undefined) {
    const offset = await offsetOf(push, known)
    if (offset.ok && offset.value !== undefined) return ok({ location: known, offset: offset.value })
  }
  const begun = await ask(push, `${push.base}/blobs/uploads/`, { method: 'POST' })
  if (!begun.ok) return begun
  const location = locationOf(begun.value)
  if (begun.value.status !== 202 || location === undefined) return await refusedBy(begun.value)
  push.order.memory?.set(blob.digest, location)
  return ok({ location, offset: 0 })
}

/** Sends what is missing in parts and returns the location for the end. A cut is asked about and continued. */
async function sendParts(push: Push, blob: BlobRef, begun: Begun): Promise<Result<string, PushRefusal>> {
  let { location, offset } = begun
  const before = push.doneBytes
  let tries = 0
  while (offset < blob.size) {
    const end = Math.min(offset + partBytes, blob.size)
    progress(push, before + offset)
    const answer = await sendPart(push, blob, location, offset, end)
    if (answer?.status === 202) {
      location = locationOf(answer) ?? location
      push.order.memory?.set(blob.digest, location)
      offset = end
      tries = 0
      continue
    }
    if (answer && answer.status < 500 && answer.status !== 416 && answer.status !== 429) return await refusedBy(answer)
    if (answer?.status === 507) return await refusedBy(answer)
    tries += 1
    if (tries > triesMax) return refuse({ kind: 'unreachable', problem: `the upload broke off at byte ${offset}` })
    await sleep((push.order.pauseMs ?? 500) * tries)
    const there = await offsetOf(push, location)
    if (!there.ok) return there
    if (there.value === undefined) return refuse({ kind: 'unreachable', problem: 'the server forgot the upload' })
    if (there.value > offset) tries = 0
    offset = there.value
  }
  progress(push, before)
  return ok(location)
}

/** One request with a part of the blob; undefined when the connection broke. */
async function sendPart(push: Push, blob: BlobRef, location: string, from: number, end: number) {
  const before = push.doneBytes
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    let left = end - from
    for await (const part of openLayoutBlob(push.order.layout, blob.digest, from)) {
      const taken = part.subarray(0, left)
      left -= taken.length
      push.sentBytes += taken.length
      progress(push, push.doneBytes + taken.length)
      yield taken
      if (left === 0) return
    }
  }
  try {
    return await fetch(location, {
      method: 'PATCH',
      body: Readable.toWeb(Readable.from(bytes(), { objectMode: false })) as ReadableStream,
      duplex: 'half',
      headers: {
        ...authorisation(push),
        'content-type': 'application/octet-stream',
        'content-range': `${from}-${end - 1}`,
      },
    })
  } catch {
    // The caller asks the server how far it came and goes on there; a server that is gone fails that question.
    push.doneBytes = before
    return undefined
  }
}

async function offsetOf(push: Push, location: string): Promise<Result<number | undefined, PushRefusal>> {
  const answer = await ask(push, location, { method: 'GET' })
  if (!answer.ok) return answer
  if (answer.value.status === 404) return ok(undefined)
  if (answer.value.status !== 204) return await refusedBy(answer.value)
  // `0-0` means one byte or none: registries differ, and sending from zero after it would be refused by those with one.
  const last = /^(?:bytes=)?0-(?<last>\d+)$/.exec(answer.value.headers.get('range') ?? '')?.groups?.['last']
  return ok(last === undefined || last === '0' ? 0 : Number(last) + 1)
}

interface Question {
  readonly method: string
  readonly body?: Uint8Array<ArrayBuffer>
  readonly headers?: Record<string, string>
}

async function ask(push: Push, url: string, init: Question): Promise<Result<Response, PushRefusal>> {
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await fetch(url, { ...init, headers: { ...authorisation(push), ...init.headers } })
      if ((answer.status < 500 && answer.status !== 429) || answer.status === 507 || tries >= triesMax)
        return ok(answer)
      await answer.body?.cancel()
    } catch (cause) {
      const inner = (cause as Error).cause
      const problem = inner instanceof Error ? inner.message : (cause as Error).message
      if (tries >= triesMax) return refuse({ kind: 'unreachable', problem: `${new URL(url).origin}: ${problem}` })
    }
    await sleep((push.order.pauseMs ?? 500) * tries)
  }
}

/** Basic, because that is what every registry client can; the key is the password and the name does not matter. */
function authorisation({ order }: Push): Record<string, string> {
  if (order.apiKey === undefined) return {}
  return { authorization: `Basic ${Buffer.from(`api-key:${order.apiKey}`).toString('base64')}` }
}

function locationOf(answer: Response): string | undefined {
  const location = answer.headers.get('location')
  return location === null ? undefined : new URL(location, answer.url).href
}

/** The server's own words where it answers as the protocol says, otherwise the status. */
async function refusedBy(answer: Response): Promise<Result<never, PushRefusal>> {
  const text = await answer.text()
  let problem = `the server answered ${answer.status}`
  try {
    const { errors } = JSON.parse(text) as { errors: { code: string; message: string }[] }
    problem = errors.map(({ code, message }) => `${message} (${code})`).join('\n')
  } catch {
    // Not in the protocol's form, for example the page of a proxy: the status has to do.
  }
  return refuse({ kind: 'refused', status: answer.status, problem })
}

function progress(push: Push, doneBytes: number): void {
  push.doneBytes = doneBytes
  push.order.onProgress?.(doneBytes, push.totalBytes)
}
