import { CheckInAnswer, DeviceProblem, Enrolled, ReportsAnswer } from '@bascule/contract/device/protocol.ts'
import { signRequest } from '@bascule/trust/http-signature.ts'
import type * as z from 'zod'
import type { Device, World } from '#/device/device.ts'
import { due, type Request } from '#/device/due.ts'
import { hearCheckIn, hearEnrolled, hearNothing, hearProblem, hearReports } from '#/device/hear.ts'
import { happens } from '#/habit/lot.ts'
import type { Authorities } from './authorities.ts'
import type { Answer, Http } from './http-send.ts'
import type { Releases } from './releases.ts'
import type { SimClock } from './clock.ts'
import type { Tally } from './tally.ts'

export interface Exchange {
  readonly world: World
  readonly clock: SimClock
  readonly http: Pick<Http, 'post'>
  readonly releases: Pick<Releases, 'manifests' | 'fetchFor'>
  readonly authorities: Authorities
  readonly tally: Tally
  /** Told of every report that the server has acknowledged. */
  readonly onAcked: (device: Device) => void
}

/** Lets a device do what is due: at most one request and what follows from its answer. Never throws for bad weather. */
export async function exchange(the: Exchange, device: Device): Promise<Device> {
  const { device: said, request } = due(the.world, device, the.clock.nowMs())
  if (!request) return said
  const answer = await send(the, said, request)
  if (answer === null || isWeather(answer)) {
    the.tally.unanswered += 1
    return hearNothing(the.world, said, the.clock.nowMs())
  }
  if (answer.status !== 200) return refused(the, said, answer)
  return await hear(the, said, request, answer)
}

async function send(the: Exchange, device: Device, request: Request): Promise<Answer | null> {
  const { world, clock, http, tally } = the
  const body = JSON.stringify(request.body)
  const now = Temporal.Instant.from(clock.stamp(clock.nowMs()))
  const seq = device.requestSeq
  const nonce = `${world.seed}-${device.index}-${seq}`.padStart(16, '-')
  const signed = { method: 'POST', path: request.path, body, seq, now, nonce }
  const headers = request.kind === 'enrol' ? {} : signRequest(device.key, signed)
  const startedAt = performance.now()
  const answer = await ask(http, request.path, headers, body)
  tally.latency.add(performance.now() - startedAt)
  if (request.kind === 'enrol' || !happens(world.rates.repeat, world.seed, 'repeat', device.index, seq)) return answer
  tally.repeated += 1
  const again = await ask(http, request.path, headers, body)
  if (answer?.status === 200 && again?.status === 200) tally.repeatsAccepted += 1
  return answer
}

async function ask(
  http: Exchange['http'],
  path: string,
  headers: Record<string, string>,
  body: string,
): Promise<Answer | null> {
  try {
    return await http.post(path, headers, body)
  } catch {
    // Refused, cut off or timed out: to a device all of this is the same silence, and it tries again.
    return null
  }
}

/** An answer that says nothing about the request: the server is busy or something stands before it. */
function isWeather({ status }: Answer): boolean {
  return status === 429 || status >= 500
}

function refused({ world, clock, tally }: Exchange, device: Device, answer: Answer): Device {
  const problem = DeviceProblem.safeParse(jsonOf(answer))
  const code = problem.success ? problem.data.code : `status ${answer.status}`
  tally.problems[code] = (tally.problems[code] ?? 0) + 1
  const nowMs = clock.nowMs()
  return problem.success ? hearProblem(world, device, problem.data, nowMs) : hearNothing(world, device, nowMs)
}

async function hear(the: Exchange, device: Device, request: Request, answer: Answer): Promise<Device> {
  const { world, clock, releases, authorities, tally, onAcked } = the
  switch (request.kind) {
    case 'enrol':
      return enrolled(the, device, parse(Enrolled, answer))
    case 'reports': {
      tally.reportRequests += 1
      if (happens(world.rates.lostAck, world.seed, 'lost-ack', device.index, device.requestSeq)) {
        tally.acksLost += 1
        return hearNothing(world, device, clock.nowMs())
      }
      const heard = hearReports(device, parse(ReportsAnswer, answer), clock.nowMs())
      count(the, request, device, heard)
      onAcked(heard)
      return heard
    }
    case 'check-in': {
      tally.checkIns += 1
      const said = parse(CheckInAnswer, answer)
      if (said.assignment) {
        tally.assignments += 1
        await releases.fetchFor(said.assignment)
      }
      const now = Temporal.Instant.from(clock.stamp(clock.nowMs()))
      await authorities.bringFor(said.assignment, said.metadataVersion ?? 0, now)
      const known = { manifests: releases.manifests, authority: authorities.newest }
      return hearCheckIn(world, device, request.body, said, known, clock.nowMs())
    }
    default:
      throw new Error(`Unknown request ${JSON.stringify(request satisfies never)}`)
  }
}

function enrolled({ world, clock, authorities, tally }: Exchange, device: Device, answer: Enrolled): Device {
  tally.enrolled += 1
  if (answer.root !== null) authorities.pin(answer.root)
  return hearEnrolled(world, device, answer, clock.nowMs())
}

/** Outcomes count once, when the server has them. */
function count({ tally }: Exchange, request: Request & { kind: 'reports' }, before: Device, after: Device): void {
  tally.reportsAcked += after.acked - before.acked
  for (const { seq, receipt } of request.body.reports) {
    const outcome = seq > before.acked && seq <= after.acked ? receipt?.signed.outcome : undefined
    if (outcome !== undefined) tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, answer: Answer): z.infer<Schema> {
  return schema.parse(jsonOf(answer))
}

function jsonOf({ body }: Answer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    // Not JSON is an answer that does not fit; the schema says so.
    return undefined
  }
}
