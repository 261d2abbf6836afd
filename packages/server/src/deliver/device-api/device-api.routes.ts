import { CheckIn, devicePaths, Reports, type Report, type ReportsAnswer } from '@bascule/contract/device/protocol.ts'
import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import { verifyReceipt } from '@bascule/trust/receipt.ts'
import type { FastifyInstance } from 'fastify'
import type { GroupCommit } from '#/platform/lib/group-commit.ts'
import type { ArrivedReport } from '../receipt/report.store.ts'
import { sentenceOf } from '../receipt/report-sentence.ts'
import { checkIn, type CheckInServices } from './check-in.ts'
import { openRequest, sendProblem, type KnownDevice } from './device-request.ts'
import { storable } from './storable.ts'

export interface DeviceApiServices extends CheckInServices {
  /** All reports of one request are stored together or not at all, so that there is never a gap. */
  readonly reports: GroupCommit<readonly ArrivedReport[], void>
  readonly now: () => Temporal.Instant
}

const checkInLimitBytes = 1_000_000
const reportsLimitBytes = 4_000_000

/** The routes of devices: plain and without a log line each, because thousands of them come every second. */
export function registerDeviceApi(app: FastifyInstance, services: DeviceApiServices): void {
  void app.register(async (device) => {
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
      return await reply.send(await takeReports(services, opened.device, opened.body))
    })
  })
}

/** Answers when the reports are durable, and only then. Reports after a gap are not taken; the answer says from where. */
async function takeReports(
  services: DeviceApiServices,
  device: KnownDevice,
  { reports, low }: Reports,
): Promise<ReportsAnswer> {
  const { fleet, epoch } = services
  const known = fleet.reportHigh(device.index)
  const usable = withoutGap(Math.max(known, (low ?? 1) - 1), reports)
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
