import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  CheckIn,
  devicePaths,
  Enrol,
  MetadataReturn,
  Reports,
  type Assignment,
  type AssignmentCustom,
  type AssignmentSigned,
  type CheckInAnswer,
  type Report,
} from '@bascule/contract/device/protocol.ts'
import { buildAssignment, signAssignment } from '@bascule/trust/assignment.ts'
import { isEnrolProofValid } from '@bascule/trust/enrol-proof.ts'
import { verifyRequest } from '@bascule/trust/http-signature.ts'
import { keyIdOf, tufKeyOf, type KeyPair } from '@bascule/trust/keys.ts'
import type { World } from '@bascule/trust/testing/world.ts'
import { director, foundBoard, pathOf, publishGo, publishReturns, timestampVersionOf } from './test-board.ts'
import type { TestRelease } from './test-release.ts'

/** What a server knows: kept apart from the process, so that a run can begin where another one ended. */
export interface ServerState {
  epoch: string
  devices: Map<string, { publicKey: string; lastSeq: number }>
  reports: Map<number, Report>
  generation: number
  targets: { release: TestRelease; custom: AssignmentCustom }[]
  /** The signed repository that it serves. */
  board: World
}

export interface TestServer extends AsyncDisposable {
  readonly url: string
  readonly state: ServerState
  readonly director: KeyPair
  /** Who signs assignments; changed by a test that plays a thief. */
  signer: KeyPair
  /** Every check-in, in order; for what the device said about itself. */
  readonly checkIns: CheckIn[]
  /** Everything a device delivered more than once with other content: must stay empty. */
  readonly contradictions: string[]
  /** Whether jobs that ask may install; changed by tests. */
  gate: (job: string) => string | null
  /** Answers instead of the server when it returns true. */
  interfere: (request: IncomingMessage, response: ServerResponse) => boolean
  sources: string[]
  /** Files that are handed out instead of the honest ones; null hands out what the board published. */
  metadata: ReadonlyMap<string, Uint8Array> | null
  /** Names of all metadata files that were asked for, in order. */
  readonly metadataAsked: string[]
  /** Whether a new device gets the root with its enrolment. */
  givesRoot: boolean
  /** What the server claims to be the newest timestamp; null for the truth, undefined to say nothing. */
  claims: number | null | undefined
  /** Whether devices are asked for what they have kept, and what they returned. */
  wantsMetadata: boolean
  readonly returned: MetadataReturn[]
  /** What a device gets instead of the assignment and of the answer that an honest server would give. */
  forgeAssignment: (signed: AssignmentSigned) => Assignment
  forgeAnswer: (answer: CheckInAnswer) => CheckInAnswer
  /** Whether the board signs whatever is assigned. */
  boardAgrees: boolean
  addBlobs(release: TestRelease): void
  assign(targets: { release: TestRelease; custom: AssignmentCustom }[]): void
  /** Resolves when the predicate holds; it is asked after every request. False when the time is over first. */
  until(predicate: () => boolean, timeoutMs: number): Promise<boolean>
}

export function emptyServerState(): ServerState {
  return { epoch: 'epoch-1', devices: new Map(), reports: new Map(), generation: 0, targets: [], board: foundBoard() }
}

/** A small server that speaks the device protocol over real HTTP with real keys. */
export async function startTestServer(state: ServerState = emptyServerState()): Promise<TestServer> {
  const blobs = new Map<string, Buffer>()
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    void handle(request, response).finally(() => {
      for (const look of waiting) look()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (self.interfere(request, response)) return
    const url = request.url ?? ''
    if (url.startsWith(devicePaths.tuf(''))) {
      serveMetadata(decodeURIComponent(url.slice(devicePaths.tuf('').length)), response)
      return
    }
    if (request.method === 'GET') {
      serveBlob(blobs.get(url.split('/').at(-1) ?? ''), request, response)
      return
    }
    const body = await bodyOf(request)
    if (url === devicePaths.enrol) answerEnrol(body, response)
    else answerSigned(url, body, request, response)
  }

  function serveMetadata(name: string, response: ServerResponse): void {
    self.metadataAsked.push(name)
    const bytes = (self.metadata ?? state.board.files).get(name)
    response.writeHead(bytes ? 200 : 404, { 'content-type': 'application/json' }).end(bytes ?? '{}')
  }

  function answerEnrol(body: Buffer, response: ServerResponse): void {
    const enrol = Enrol.parse(JSON.parse(body.toString('utf8')))
    if (!isEnrolProofValid(enrol)) {
      send(response, 401, { code: 'token-refused', message: 'The proof is wrong.' })
      return
    }
    const deviceId = keyIdOf(enrol.publicKey)
    if (!state.devices.has(deviceId)) state.devices.set(deviceId, { publicKey: enrol.publicKey, lastSeq: 0 })
    send(response, 200, {
      deviceId,
      state: 'active',
      serverEpoch: state.epoch,
      serverTime: new Date().toISOString(),
      directorKey: tufKeyOf(director.publicKey),
      nextCheckInSeconds: 1,
      root: self.givesRoot
        ? Buffer.from((self.metadata ?? state.board.files).get('1.root.json') ?? []).toString('utf8')
        : null,
    })
  }

  function answerSigned(url: string, body: Buffer, request: IncomingMessage, response: ServerResponse): void {
    const verified = verifyRequest(
      { method: 'POST', path: url, headers: request.headers, body },
      (keyid) => state.devices.get(keyid)?.publicKey,
    )
    if (!verified.ok) {
      send(response, 401, { code: 'bad-signature', message: verified.error.message })
      return
    }
    const device = state.devices.get(verified.value.keyid)
    if (!device || verified.value.seq <= device.lastSeq) {
      send(response, 409, { code: 'replayed', message: 'The number was used before.' })
      return
    }
    device.lastSeq = verified.value.seq
    const json: unknown = JSON.parse(body.toString('utf8'))
    if (url === devicePaths.reports) takeReports(Reports.parse(json), response)
    else if (url === devicePaths.metadata) {
      self.returned.push(MetadataReturn.parse(json))
      response.writeHead(204).end()
    } else answerCheckIn(verified.value.keyid, CheckIn.parse(json), response)
  }

  function takeReports({ reports }: Reports, response: ServerResponse): void {
    for (const report of reports) {
      const known = state.reports.get(report.seq)
      if (known && JSON.stringify(known) !== JSON.stringify(report)) self.contradictions.push(`report ${report.seq}`)
      state.reports.set(report.seq, report)
    }
    send(response, 200, { serverEpoch: state.epoch, reportHigh: highOf(state) })
  }

  function answerCheckIn(deviceId: string, checkIn: CheckIn, response: ServerResponse): void {
    self.checkIns.push(checkIn)
    const held = checkIn.ask.flatMap((job) => {
      const reason = self.gate(job)
      return reason === null ? [] : [{ job, reason }]
    })
    const answer: CheckInAnswer = {
      serverEpoch: state.epoch,
      serverTime: new Date().toISOString(),
      reportHigh: highOf(state),
      generation: state.generation,
      ...(checkIn.generation < state.generation ? { assignment: assignmentFor(deviceId) } : {}),
      proceed: checkIn.ask.filter((job) => self.gate(job) === null),
      hold: held,
      sources: self.sources,
      wantFacts: false,
      ...(self.claims === undefined ? {} : { metadataVersion: self.claims ?? timestampVersionOf(state.board) }),
      ...(self.wantsMetadata ? { wantMetadata: true } : {}),
      nextCheckInSeconds: 1,
    }
    send(response, 200, self.forgeAnswer(answer))
  }

  function assignmentFor(device: string): Assignment {
    const targets = state.targets.map(({ release, custom }) => ({
      path: pathOf(release),
      lengthBytes: release.manifestBytes.length,
      sha256: release.manifestSha256,
      custom,
    }))
    const expiresAt = Temporal.Now.instant().add({ hours: 100 })
    return self.forgeAssignment(buildAssignment({ device, generation: state.generation, expiresAt, targets }))
  }

  const self: TestServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    director,
    signer: director,
    checkIns: [],
    contradictions: [],
    gate: () => null,
    interfere: () => false,
    sources: [],
    metadata: null,
    metadataAsked: [],
    givesRoot: true,
    claims: null,
    wantsMetadata: false,
    returned: [],
    forgeAssignment: (signed) => signAssignment(signed, self.signer),
    forgeAnswer: (answer) => answer,
    boardAgrees: true,
    addBlobs(release) {
      for (const [hex, bytes] of release.blobs) blobs.set(hex, bytes)
    },
    assign(targets) {
      state.generation += 1
      state.targets = targets
      for (const { release, custom } of targets) {
        self.addBlobs(release)
        if (!self.boardAgrees) continue
        state.board = publishGo(state.board, release)
        if (custom.action === 'back-out') state.board = publishReturns(state.board, release)
      }
    },
    async until(predicate, timeoutMs) {
      if (predicate()) return true
      const { promise, resolve } = Promise.withResolvers<boolean>()
      const look = (): void => {
        if (predicate()) resolve(true)
      }
      waiting.add(look)
      const timer = setTimeout(resolve, timeoutMs, false)
      const outcome = await promise
      clearTimeout(timer)
      waiting.delete(look)
      return outcome
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return self
}

function highOf(state: ServerState): number {
  let high = 0
  while (state.reports.has(high + 1)) high += 1
  return high
}

export function serveBlob(bytes: Buffer | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (!bytes) {
    send(response, 404, { code: 'bad-input', message: 'No such blob.' })
    return
  }
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const range = start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': bytes.length - start, ...range })
  response.end(bytes.subarray(start))
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const bytes of request) parts.push(bytes as Buffer)
  return Buffer.concat(parts)
}
