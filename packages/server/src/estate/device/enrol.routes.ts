import {
  type DeviceProblem,
  devicePaths,
  Enrol,
  type Enrolled,
  type TufKey,
} from '@bascule/contract/device/protocol.ts'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Db } from '#/platform/db/database.ts'
import { enrolDevice } from './enrol-device.service.ts'
import type { Fleet } from './fleet.ts'

export interface EnrolServices {
  readonly db: Db
  readonly fleet: Fleet
  readonly now: () => Temporal.Instant
  readonly epoch: string
  /** The only key whose assignments a device obeys; it pins it here. */
  readonly directorKey: () => Promise<TufKey>
  readonly checkInSeconds: number
  /** `1.root.json` as text, the anchor of every device; null before the first ceremony. */
  readonly firstRoot: () => Promise<string | null>
}

const limitBytes = 1_000_000
const statusOf: Partial<Record<DeviceProblem['code'], number>> = { 'bad-input': 400, 'bad-signature': 401, busy: 503 }

/** The only door for devices that are not known yet; a token opens it. */
export function registerEnrolment(app: FastifyInstance, services: EnrolServices): void {
  app.post(devicePaths.enrol, { logLevel: 'warn', bodyLimit: limitBytes }, async (request, reply) => {
    const parsed = Enrol.safeParse(request.body)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      return await sendProblem(reply, {
        code: 'bad-input',
        message: `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'is not understood'}`,
      })
    }
    const outcome = await enrolDevice(services.db, services.now(), parsed.data, request.ip)
    if (!outcome.ok) return await sendProblem(reply, outcome.error)
    const { keyId, state } = outcome.value
    // The device may check in with the next packet, before the event of its enrolment arrives.
    await services.fleet.refresh([keyId])
    return await reply.send({
      deviceId: keyId,
      state,
      serverEpoch: services.epoch,
      serverTime: services.now().toString(),
      directorKey: await services.directorKey(),
      nextCheckInSeconds: Math.min(services.checkInSeconds, 5),
      root: await services.firstRoot(),
    } satisfies Enrolled)
  })
}

async function sendProblem(reply: FastifyReply, { code, message }: DeviceProblem): Promise<FastifyReply> {
  return await reply.code(statusOf[code] ?? 403).send({ code, message: message.slice(0, 500) } satisfies DeviceProblem)
}
