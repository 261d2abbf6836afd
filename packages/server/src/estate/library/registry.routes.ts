import { limits, mediaTypes } from '@bascule/contract/estate/oci.ts'
import type { Permission } from '@bascule/domain/estate/permission.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { buffer } from 'node:stream/consumers'
import type { Services } from '#/platform/feature.ts'
import { admit } from '#/platform/http/admit.ts'
import { errorFrom } from '#/platform/http/errors.ts'
import { allow, type Actor } from '#/platform/lib/actor.ts'
import { forbidden } from '#/platform/lib/answer.ts'
import { findVersion, findVersions } from './library.store.ts'
import { ociBody, problemOfError, problemOfRegistration, problemOfUpload, type OciProblem } from './oci-problem.ts'
import { putManifest } from './put-manifest.ts'
import { bodyOf, readBody, takeRawBodies } from './raw-body.ts'
import { sendBlob } from './send-blob.ts'

interface Addressed {
  Params: { name: string; digest: string; reference: string; id: string }
  Querystring: { digest?: string; mount?: string }
}
type Handler = (request: FastifyRequest<Addressed>, reply: FastifyReply, actor: Actor) => Promise<unknown>

const digestPattern = /^sha256:[0-9a-f]{64}$/

/**
 * The OCI distribution protocol, as far as packages need it: any registry client uploads to the library and downloads
 * from it. A version exists from the moment its index is taken, and only when all of it was found good.
 */
export function registerRegistryRoutes(app: FastifyInstance, services: Services): void {
  void app.register(async (scope) => {
    takeRawBodies(scope)
    scope.setErrorHandler(async (thrown, request, reply) => {
      const error = errorFrom(thrown)
      if (error.status >= 500) request.log.error({ err: thrown }, 'registry request failed')
      // Registry clients send what they know only after this challenge.
      if (error.status === 401) reply.header('www-authenticate', 'Basic realm="Bascule library"')
      await sendProblem(reply, problemOfError(error))
    })
    scope.addHook('onSend', async (_request, reply) => {
      reply.header('docker-distribution-api-version', 'registry/2.0')
    })
    const route = (
      method: HTTPMethods | HTTPMethods[],
      url: string,
      permission: Permission,
      handler: Handler,
    ): void => {
      scope.route<Addressed>({
        method,
        url,
        bodyLimit: limits.layerBytes,
        exposeHeadRoute: false,
        handler: async (request, reply) => await handler(request, reply, await enter(services, request, permission)),
      })
    }
    registerReading(route, services)
    registerUploads(route, services)
    registerManifests(route, services)
  })
}

type Route = (method: HTTPMethods | HTTPMethods[], url: string, permission: Permission, handler: Handler) => void

/** Registry clients know only user and password; the password is the API key, the user does not matter. */
async function enter(services: Services, request: FastifyRequest, permission: Permission): Promise<Actor> {
  const basic = /^Basic (?<pair>.+)$/.exec(request.headers.authorization ?? '')?.groups?.['pair']
  if (basic !== undefined) {
    const pair = Buffer.from(basic, 'base64').toString('utf8')
    request.headers['x-api-key'] = pair.slice(pair.indexOf(':') + 1)
  }
  const actor = await admit(services, request, permission)
  // The library belongs to the whole organisation: uploading needs the right everywhere, not for one site.
  if (permission === 'library.upload' && !allow(actor, permission, {}).ok) throw forbidden(permission)
  return actor
}

function registerReading(route: Route, { blobs, db }: Services): void {
  route(['GET', 'HEAD'], '/v2/', 'library.read', async (_request, reply) => await reply.send({}))

  route(['GET', 'HEAD'], '/v2/:name/blobs/:digest', 'library.read', async (request, reply) => {
    const { digest } = request.params
    if (digestPattern.test(digest) && (await sendBlob(request, reply, blobs, digest))) return reply
    return await sendProblem(reply, { status: 404, code: 'BLOB_UNKNOWN', message: 'There is no such blob.' })
  })

  route(['GET', 'HEAD'], '/v2/:name/manifests/:reference', 'library.read', async (request, reply) => {
    const { name, reference } = request.params
    const digest = digestPattern.test(reference) ? reference : (await findVersion(db, name, reference))?.index_digest
    const mediaType = digest === undefined ? undefined : await manifestTypeOf(blobs, digest)
    if (digest !== undefined && mediaType !== undefined) {
      await sendBlob(request, reply, blobs, digest, mediaType)
      return reply
    }
    return await sendProblem(reply, { status: 404, code: 'MANIFEST_UNKNOWN', message: 'There is no such manifest.' })
  })

  route('GET', '/v2/:name/tags/list', 'library.read', async (request, reply) => {
    const versions = await findVersions(db, request.params.name)
    if (versions.length > 0)
      return { name: request.params.name, tags: versions.map(({ version }) => version).toSorted() }
    return await sendProblem(reply, { status: 404, code: 'NAME_UNKNOWN', message: 'There is no such package.' })
  })
}

function registerUploads(route: Route, { blobs }: Services): void {
  const located = (reply: FastifyReply, name: string, id: string, offset: number): FastifyReply =>
    reply.headers({
      location: `/v2/${name}/blobs/uploads/${id}`,
      'docker-upload-uuid': id,
      // The protocol has no word for "nothing yet"; `0-0` is what registries say.
      range: `0-${Math.max(0, offset - 1)}`,
    })

  route('POST', '/v2/:name/blobs/uploads/', 'library.upload', async (request, reply) => {
    const { name } = request.params
    const { mount, digest } = request.query
    if (mount !== undefined && digestPattern.test(mount) && (await blobs.stat(mount))) {
      return await reply.status(201).headers(storedAt(name, mount)).send()
    }
    const id = await blobs.beginUpload()
    if (digest === undefined) return await located(reply, name, id, 0).status(202).send()
    try {
      const appended = await blobs.append(id, 0, bodyOf(request), limits.layerBytes)
      return await finish(reply, name, id, digest, appended.ok ? undefined : problemOfUpload(appended.error))
    } finally {
      // Nobody was told the id, so nobody can go on with what came of an upload that failed.
      await blobs.abort(id)
    }
  })

  route('GET', '/v2/:name/blobs/uploads/:id', 'library.upload', async (request, reply) => {
    const { name, id } = request.params
    const offset = await blobs.uploadOffset(id)
    if (offset === undefined) return await sendProblem(reply, problemOfUpload({ kind: 'no-such-upload' }))
    return await located(reply, name, id, offset).status(204).send()
  })

  route('PATCH', '/v2/:name/blobs/uploads/:id', 'library.upload', async (request, reply) => {
    const { name, id } = request.params
    const current = (await blobs.uploadOffset(id)) ?? 0
    const named = /^(?<start>\d+)-\d+$/.exec(request.headers['content-range'] ?? '')?.groups?.['start']
    const start = named === undefined ? current : Number(named)
    const appended = await blobs.append(id, start, bodyOf(request), limits.layerBytes)
    if (appended.ok) return await located(reply, name, id, appended.value).status(202).send()
    if (appended.error.kind === 'wrong-offset') located(reply, name, id, appended.error.offset)
    return await sendProblem(reply, problemOfUpload(appended.error))
  })

  route('PUT', '/v2/:name/blobs/uploads/:id', 'library.upload', async (request, reply) => {
    const { name, id } = request.params
    const offset = await blobs.uploadOffset(id)
    const appended = await blobs.append(id, offset ?? 0, bodyOf(request), limits.layerBytes)
    const problem = appended.ok ? undefined : problemOfUpload(appended.error)
    return await finish(reply, name, id, request.query.digest ?? '', problem)
  })

  route('DELETE', '/v2/:name/blobs/uploads/:id', 'library.upload', async (request, reply) => {
    await blobs.abort(request.params.id)
    return await reply.status(204).send()
  })

  async function finish(reply: FastifyReply, name: string, id: string, digest: string, problem?: OciProblem) {
    if (problem) return await sendProblem(reply, problem)
    if (!digestPattern.test(digest)) {
      await blobs.abort(id)
      const message = `"${digest.slice(0, 100)}" is not a digest (sha256:<64 hex characters>).`
      return await sendProblem(reply, { status: 400, code: 'DIGEST_INVALID', message })
    }
    const finished = await blobs.finish(id, digest)
    if (!finished.ok) return await sendProblem(reply, problemOfUpload(finished.error))
    return await reply.status(201).headers(storedAt(name, digest)).send()
  }
}

function registerManifests(route: Route, services: Services): void {
  route('PUT', '/v2/:name/manifests/:reference', 'library.upload', async (request, reply, actor) => {
    const { name, reference } = request.params
    const bytes = await readBody(request, limits.manifestBytes)
    if (!bytes) {
      const message = `A manifest may have ${limits.manifestBytes} bytes at most.`
      return await sendProblem(reply, { status: 413, code: 'SIZE_INVALID', message })
    }
    const mediaType = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? ''
    const taken = await putManifest(services, actor, services.now(), { name, reference, mediaType, bytes })
    if (!taken.ok) return await sendProblem(reply, problemOfRegistration(taken.error))
    return await reply
      .status(201)
      .headers({ location: `/v2/${name}/manifests/${taken.value}`, 'docker-content-digest': taken.value })
      .send()
  })
}

function storedAt(name: string, digest: string) {
  return { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest }
}

/** The media type that a stored manifest or index says of itself; undefined for every other blob. */
async function manifestTypeOf(blobs: Services['blobs'], digest: string): Promise<string | undefined> {
  const stored = await blobs.stat(digest)
  if (!stored || stored.sizeBytes > limits.manifestBytes) return undefined
  const stream = await blobs.open(digest)
  if (!stream) return undefined
  try {
    const { mediaType } = JSON.parse((await buffer(stream)).toString('utf8')) as { mediaType?: unknown }
    return [mediaTypes.index, mediaTypes.manifest].find((known) => known === mediaType)
  } catch {
    // A layer, not a manifest.
    return undefined
  }
}

async function sendProblem(reply: FastifyReply, problem: OciProblem): Promise<FastifyReply> {
  return await reply.status(problem.status).type('application/json').send(ociBody(problem))
}
