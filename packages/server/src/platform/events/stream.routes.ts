import type { ServerResponse } from 'node:http'
import { isPermission } from '@bascule/domain/estate/permission.ts'
import { isAllowedSomewhere } from '@bascule/domain/estate/role.ts'
import { ORPCError } from '@orpc/server'
import type { FastifyInstance } from 'fastify'
import type { Services } from '#/platform/feature.ts'
import { pagePolicy, securityHeaders } from '#/platform/http/security.ts'
import { admit } from '#/platform/http/admit.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import { coalesce } from './publish.ts'
import type { Change } from './publish.ts'
import type { Notice } from './bus.ts'

const beatMs = 15_000
/** Changes that come together go together; nobody sees the difference, and a busy rollout stays readable. */
const gatherMs = 100
/** A reader that takes nothing for so long is cut off; it connects again and looks at everything anew. */
const backlogBytesMax = 1_000_000
/** A browser opens one stream for all its tabs; a person has a few browsers, and nobody holds hundreds of connections. */
const streamsPerCaller = 20

/**
 * `GET /api/events`: what changed, as it happens, without content (Server-Sent Events). A reader that was away cannot
 * know what it missed, so after a reconnect (it sends Last-Event-ID) it is told `missed` and refetches what it shows.
 */
export function registerEventStream(app: FastifyInstance, services: Services, isSecure: boolean): void {
  const streams = new Map<ServerResponse, string>()
  app.addHook('preClose', () => {
    for (const stream of streams.keys()) stream.end()
  })
  app.get('/api/events', { exposeHeadRoute: false }, async (request, reply) => {
    const actor = await admit(services, request, 'event.read')
    const open = streams.values().filter((id) => id === actor.id)
    if (Array.from(open).length >= streamsPerCaller) throw tooManyStreams()
    reply.hijack()
    const stream = reply.raw
    stream.writeHead(200, {
      ...securityHeaders(isSecure),
      'content-security-policy': pagePolicy,
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    streams.set(stream, actor.id)
    const end = keepTold(services, stream, actor, request.headers['last-event-id'] !== undefined, async () => {
      const caller = await services.identity.whoIs(request.headers)
      return caller?.actor
    })
    stream.on('close', () => {
      end()
      streams.delete(stream)
    })
  })
}

function tooManyStreams(): ORPCError<string, unknown> {
  const message = `${streamsPerCaller} of your pages listen already. Close some of them, or reload this page later.`
  return new ORPCError('TOO_MANY_STREAMS', { status: 429, message })
}

function keepTold(
  services: Services,
  stream: ServerResponse,
  firstActor: Actor,
  isBack: boolean,
  whoNow: () => Promise<Actor | undefined>,
): () => void {
  let actor = firstActor
  let gathered: Change[] = []
  let gathering: NodeJS.Timeout | undefined

  const write = (event: string, data: unknown, id?: string) => {
    if (stream.writableLength > backlogBytesMax) stream.destroy()
    else stream.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  const flush = () => {
    gathering = undefined
    const seen = coalesce(gathered).filter((change) => maySee(actor, change.entity))
    gathered = []
    for (const change of seen) write('change', change, change.version)
  }
  const hear = (notice: Notice) => {
    if (notice === 'missed') {
      write('missed', {})
      return
    }
    if (notice.some((change) => mayEnd(actor, change))) void beat()
    gathered.push(...notice.filter((change) => change.entity !== 'session'))
    if (gathered.length === 0) return
    gathering ??= setTimeout(flush, gatherMs)
  }
  /** What a session may see is looked at again with each beat, and at once when something was said of it. */
  const beat = async () => {
    const now = await whoNow().catch(() => actor)
    if (now === undefined) stream.end()
    else if (!stream.writableEnded) {
      actor = now
      stream.write(': still here\n\n')
    }
  }

  write('hello', {})
  if (isBack) write('missed', {})
  const deafen = services.bus.listen(hear)
  const beating = setInterval(() => void beat(), beatMs)
  return () => {
    deafen()
    clearInterval(beating)
    clearTimeout(gathering)
  }
}

/** Whether a change may have ended the session of this caller, or taken or given a role. */
function mayEnd(actor: Actor, { entity, id }: Change): boolean {
  if (entity === 'role-grant') return true
  return (entity === 'person' || entity === 'session' || entity === 'api-key') && (id === actor.id || id === '*')
}

/** Kinds of things that are shown together with another kind, and so to whoever may read that one. */
const shownWith: Readonly<Record<string, string>> = {
  'role-grant': 'role',
  'enrolment-token': 'device',
  'package-version': 'library',
  package: 'library',
  baseline: 'configuration',
  phase: 'rollout',
  'rollout-progress': 'rollout',
}

/** Whoever may read a kind of thing hears that one of it changed; kinds that nobody reads by themselves are not told. */
function maySee(actor: Actor, entity: string): boolean {
  const permission = `${shownWith[entity] ?? entity}.read`
  return isPermission(permission) && isAllowedSomewhere(actor.grants, permission)
}
