import {
  CheckIn,
  devicePaths,
  MetadataReturn,
  Reports,
  type Report,
  type ReportsAnswer,
} from '@bascule/contract/device/protocol.ts'
import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import { verifyReceipt } from '@bascule/trust/receipt.ts'
import type { Meter } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import type { GroupCommit } from '#/platform/lib/group-commit.ts'
import type { ArrivedReport } from '../receipt/report.store.ts'
import { sentenceOf } from '../receipt/report-sentence.ts'
import { checkIn, type CheckInServices } from './check-in.ts'
import { openRequest, refuseByHead, sendProblem, sendTooMany, type KnownDevice } from './device-request.ts'
import type { ReportLimit } from './report-limit.ts'
import { storable } from './storable.ts'

export interface DeviceApiServices extends CheckInServices {
  /** All reports of one request are stored together or not at all, so that there is never a gap. */
  readonly reports: GroupCommit<readonly ArrivedReport[], void>
  readonly now: () => Temporal.Instant
  readonly reportLimit: ReportLimit
  /** Gives the signer the files that a device has kept; what they are worth it judges by itself. */
  readonly recoverMetadata: (files: MetadataReturn['files']) => Promise<void>
  readonly meter: Meter
}

const checkInLimitBytes = 1_000_000
const reportsLimitBytes = 4_000_000
const metadataLimitBytes = 8_000_000

/** The routes of devices: plain and without a log line each, because thousands of them come every second. */
export function registerDeviceApi(app: FastifyInstance, services: DeviceApiServices): void {
  const refused = services.meter.createCounter('device_reports_refused', {
    description: 'Reports of devices that were not stored, because the device sends too many',
  })
  void app.register(async (device) => {
    device.addHook('onRequest', async (request, reply) => {
      const problem = refuseByHead(services.fleet, request)
      return problem && (await sendProblem(reply, problem.code, problem.message))
    })
    // The signature is over the bytes as they came, so nothing parses them before it is checked.
    device.removeAllContentTypeParsers()
    device.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

    device.post(devicePaths.checkIn, { logLevel: 'warn', bodyLimit: checkInLimitBytes }, async (request, reply) => {
      const opened = openRequest(services.fleet, request, CheckIn)
      if ('code' in opened) return await sendProblem(reply, opened.code, opened.message)
      return await reply.send(await checkIn(services, opened.device.index, opened.body, services.now()))
    })

    device.post(devicePaths.reports, { logLevel: 'warn', bodyLimit: reportsLimitBytes }, async (request, reply) => {
      const opened = openRequest(services.fleet, request, Reports)
      if ('code' in opened) return await sendProblem(reply, opened.code, opened.message)
      const answer = await takeReports(services, opened.device, opened.body)
      if (answer !== undefined) return await reply.send(answer)
      refused.add(opened.body.reports.length)
      const seconds = services.reportLimit.retryAfterSeconds(opened.device.index, services.now().epochMilliseconds)
      return await sendTooMany(reply, seconds)
    })

    device.post(devicePaths.metadata, { bodyLimit: metadataLimitBytes }, async (request, reply) => {
      const opened = openRequest(services.fleet, request, MetadataReturn)
      if ('code' in opened) return await sendProblem(reply, opened.code, opened.message)
      if (services.metadataAsks.takeAnswer(opened.device.index)) await services.recoverMetadata(opened.body.files)
      return await reply.code(204).send()
    })
  })
}

/**
 * Answers when the reports are durable, and only then. Reports after a gap are not taken, and neither is what a device
 * sends too much of; the answer says from where. Undefined when it has sent so much that none can be taken.
 */
async function takeReports(
  services: DeviceApiServices,
  device: KnownDevice,
  { reports, low }: Reports,
): Promise<ReportsAnswer | undefined> {
  const { fleet, epoch } = services
  const known = fleet.reportHigh(device.index)
  const news = withoutGap(Math.max(known, (low ?? 1) - 1), reports)
  const allowed = services.reportLimit.take(device.index, news.length, services.now().epochMilliseconds)
  if (allowed === 0 && news.length > 0) return undefined
  const usable = news.slice(0, allowed)
  if (usable.length > 0) await services.reports.add(usable.map((report) => arrived(device, report)))
  const high = usable.at(-1)?.seq ?? known
  fleet.raiseReportHigh(device.index, high)
  fleet.touch(device.index, services.now().epochMilliseconds)
  return { serverEpoch: epoch, reportHigh: fleet.reportHigh(device.index) }
}

function withoutGap(known: number, reports: readonly Report[]): Report[] {
  const usable: Report[] = []
  let high = known
  for (const report of reports.toSorted((a, b) => a.seq - b.seq)) {
    if (report.seq > high + 1) break
    usable.push(report)
    high = Math.max(high, report.seq)
  }
  return usable
}

/** The receipt is judged as it came; only then is it made storable. */
function arrived(device: KnownDevice, said: Report): ArrivedReport {
  const report = storable(said)
  return { deviceId: device.index, report, sentence: sentenceOf(report), receiptValid: receiptValid(device, said) }
}

/** A receipt counts when this device signed it, for this job and this number. A terminal step without one counts as unproven. */
function receiptValid(device: KnownDevice, report: Report): boolean | null {
  if (!report.receipt) return isTerminalStep(report.step) ? false : null
  const verified = verifyReceipt(report.receipt, device.publicKey)
  if (!verified.ok) return false
  const { device: who, job, seq, outcome } = verified.value
  return who === device.keyId && job === report.job && seq === report.seq && outcome === report.step
}
