import {
  type AssignmentCustom,
  CheckIn,
  type CheckInAnswer,
  devicePaths,
  Enrol,
  type Enrolled,
  type Report,
  Reports,
} from '@bascule/contract/device/protocol.ts'
import type { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { buildAssignment, signAssignment } from '@bascule/trust/assignment.ts'
import { isEnrolProofValid } from '@bascule/trust/enrol-proof.ts'
import { verifyRequest } from '@bascule/trust/http-signature.ts'
import { keyIdOf, keyPairFromSeed, sha256Hex, tufKeyOf } from '@bascule/trust/keys.ts'
import { verifyReceipt } from '@bascule/trust/receipt.ts'
import { targetPathText } from '@bascule/trust/tuf/names.ts'
import type { ReleaseTarget } from '@bascule/trust/tuf/documents.ts'
import { aBoard } from './a-board.ts'
import type { Answer } from '#/drive/http-send.ts'

/** What the smallest possible server knows of a device. */
export interface KnownDevice {
  readonly publicKey: string
  seq: number
  generation: number
  readonly reports: Report[]
  readonly jobs: { id: string; action: AssignmentCustom['action'] }[]
}

export interface Responder {
  readonly devices: Map<string, KnownDevice>
  /** Every request in order, for comparing two runs. */
  readonly log: string[]
  /** Whether devices that ask may install. */
  mayInstall: boolean
  /** Puts another job in the place of every device's job. */
  orderAll(action: AssignmentCustom['action']): void
  /** The board lists the release, if it has not from the beginning. */
  publish(): void
  answer(path: string, headers: Readonly<Record<string, string | string[] | undefined>>, body: Buffer | string): Answer
}

const director = keyPairFromSeed(new Uint8Array(32).fill(7))
export const releaseManifest: ReleaseManifest = {
  _type: 'bascule-release',
  specVersion: 1,
  productLine: 'page-builder',
  release: 'R-1',
  version: '2.0.0',
  counter: 1,
  packages: [
    {
      name: 'page-builder',
      version: '2.0.0',
      index: { digest: `sha256:${'a'.repeat(64)}`, sizeBytes: 900 },
      modules: [],
    },
  ],
  verifyLevel: 4,
  backoutFrom: [],
  autoBackout: true,
  offlineInstall: false,
  phases: [{ id: 'all', order: 1, audienceRoot: null, permille: 1000, notBefore: null, notAfter: null }],
  deadline: null,
}
const manifestBytes = JSON.stringify(releaseManifest)
const manifestHex = sha256Hex(manifestBytes)
const path = targetPathText({
  board: 'web',
  line: releaseManifest.productLine,
  kind: 'normal',
  release: releaseManifest.release,
})
const target: ReleaseTarget = {
  length: manifestBytes.length,
  hashes: { sha256: manifestHex },
  custom: {
    kind: 'release',
    productLine: releaseManifest.productLine,
    release: releaseManifest.release,
    counter: releaseManifest.counter,
    phases: releaseManifest.phases,
    deadline: null,
    backoutFrom: [],
    autoBackout: true,
    mayRemove: true,
    decisionSha256: null,
  },
}

/**
 * A server that knows only the device API and believes nothing: it verifies every signature, refuses every number it
 * has seen, takes reports only without a gap, and gives each device one job at a time, signed by its director.
 */
export function createResponder(nowIso: () => string, isListed = true): Responder {
  const devices = new Map<string, KnownDevice>()
  const log: string[] = []
  let jobs = 0
  let wanted: AssignmentCustom['action'] = 'install'
  const board = aBoard({
    line: releaseManifest.productLine,
    path,
    target,
    director,
    at: Temporal.Instant.from(nowIso()),
  })
  let metadata = board.publish(isListed)

  function enrol(body: unknown): Answer {
    const said = Enrol.parse(body)
    if (!isEnrolProofValid(said)) return problem('bad-signature', 401)
    const id = keyIdOf(said.publicKey)
    const known = devices.get(id) ?? { publicKey: said.publicKey, seq: 0, generation: 0, reports: [], jobs: [] }
    devices.set(id, known)
    const answer: Enrolled = {
      deviceId: id,
      state: 'active',
      serverEpoch: 'epoch-1',
      serverTime: nowIso(),
      directorKey: tufKeyOf(director.publicKey),
      nextCheckInSeconds: 30,
      root: metadata.get('1.root.json') ?? null,
    }
    return json(200, answer)
  }

  function checkIn(id: string, device: KnownDevice, said: CheckIn, mayInstall: boolean): Answer {
    if (device.jobs.at(-1)?.action !== wanted) {
      device.jobs.push({ id: String(++jobs), action: wanted })
      device.generation += 1
    }
    const answer: CheckInAnswer = {
      serverEpoch: 'epoch-1',
      serverTime: nowIso(),
      reportHigh: device.reports.length,
      generation: device.generation,
      ...(said.generation === device.generation ? {} : { assignment: assignmentFor(id, device, nowIso()) }),
      proceed: mayInstall ? said.ask : [],
      hold: mayInstall ? [] : said.ask.map((job) => ({ job, reason: 'The phase is not open.' })),
      sources: [],
      wantFacts: false,
      metadataVersion: board.timestampVersion(),
      nextCheckInSeconds: 300,
    }
    return json(200, answer)
  }

  const responder: Responder = {
    devices,
    log,
    mayInstall: true,
    orderAll(action) {
      wanted = action
    },
    publish() {
      metadata = board.publish(true)
    },
    answer(path, headers, body) {
      log.push(`${path} ${sha256Hex(body)}`)
      if (path === devicePaths.blob(manifestHex)) return { status: 200, body: Buffer.from(manifestBytes) }
      const file = metadata.get(path.replace(/^\/tuf\//, ''))
      if (file !== undefined) return { status: 200, body: Buffer.from(file) }
      if (path.startsWith('/tuf/')) return { status: 404, body: Buffer.alloc(0) }
      if (path === devicePaths.enrol) return enrol(JSON.parse(body.toString()))
      const verified = verifyRequest({ method: 'POST', path, headers, body }, (id) => devices.get(id)?.publicKey)
      if (!verified.ok) return problem('bad-signature', 401)
      const { keyid, seq } = verified.value
      const device = devices.get(keyid)
      if (!device || seq <= device.seq) return problem('replayed', 409)
      device.seq = seq
      const said: unknown = JSON.parse(body.toString())
      if (path === devicePaths.checkIn) return checkIn(keyid, device, CheckIn.parse(said), responder.mayInstall)
      return takeReports(device, Reports.parse(said))
    },
  }
  return responder
}

function takeReports(device: KnownDevice, { reports }: Reports): Answer {
  for (const report of reports) {
    if (report.seq <= device.reports.length) continue
    if (report.seq !== device.reports.length + 1) throw new Error(`Report ${report.seq} after a gap`)
    if (report.receipt && !verifyReceipt(report.receipt, device.publicKey).ok)
      throw new Error('A receipt is not signed')
    device.reports.push(report)
  }
  return json(200, { serverEpoch: 'epoch-1', reportHigh: device.reports.length })
}

function assignmentFor(id: string, { generation, jobs }: KnownDevice, nowIso: string) {
  const job = jobs.at(-1)
  if (!job) throw new Error('A device without a job has no assignment')
  const custom: AssignmentCustom = {
    job: job.id,
    action: job.action,
    release: releaseManifest.release,
    productLine: releaseManifest.productLine,
    rollout: 1,
    phase: 1,
    verifyLevel: 4,
    activation: 'current',
    attributes: { roles: [] },
  }
  const targets = [{ path, lengthBytes: manifestBytes.length, sha256: manifestHex, custom }]
  const expiresAt = Temporal.Instant.from(nowIso).add({ hours: 100 })
  return signAssignment(buildAssignment({ device: id, generation, expiresAt, targets }), director)
}

function problem(code: string, status: number): Answer {
  return json(status, { code, message: code })
}

function json(status: number, value: unknown): Answer {
  return { status, body: Buffer.from(JSON.stringify(value)) }
}
