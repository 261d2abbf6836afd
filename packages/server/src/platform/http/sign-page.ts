import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { sha256Hex } from '@bascule/trust/keys.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Services } from '#/platform/feature.ts'
import { isForSigning, mainOriginsOf, signOriginOf } from './sign-origin.ts'
import { missing, safePath, sendFile } from './web-files.ts'

/** Every file of the signing page with its SHA-256, and the one number that people compare. */
export interface SignBuild {
  /** SHA-256 of the list as `sha256sum` prints it: `<sha256>  <path>\n`, sorted by path. */
  readonly sha256: string
  readonly files: Readonly<Record<string, string>>
}

/**
 * The signing page on its own origin. A request for it gets the page, its files, which build they are, the files
 * of the boards and the manifests that they pin, and nothing else: no API, no sign-in, no cookie, whatever routes there are or will be.
 */
export function registerSignPage(
  app: FastifyInstance,
  services: Pick<Services, 'config' | 'log'>,
  folder: string,
): void {
  const { config, log } = services
  const { sha256 } = signBuildOf(folder)
  log.info({ sha256 }, 'the signing page')
  app.addHook('onRequest', async (request, reply) => {
    if (!isForSigning(config, request)) return undefined
    delete request.headers.cookie
    delete request.headers.authorization
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (isRead && isSigned(request)) {
      // Whatever comes by these addresses is data and never a page, so that no page can come by them.
      reply.header('content-security-policy', dataPolicy)
      return undefined
    }
    await (isRead ? answer(services, folder, request, reply) : missing(request, reply))
    return reply
  })
  app.get('/sign-build.json', async (request, reply) => {
    const url = signOriginOf(services, request) ?? null
    return await reply.send({ url, ...signBuildOf(folder) })
  })
}

/** What is in a folder of the signing page now. */
export function signBuildOf(folder: string): SignBuild {
  const entries = filesIn(folder)
  const files = entries.map((file) => [file, sha256Hex(readFileSync(join(folder, file)))] as const)
  return {
    sha256: sha256Hex(files.map(([path, hash]) => `${hash}  ${path}\n`).join('')),
    files: Object.fromEntries(files),
  }
}

const dataPolicy = "default-src 'none'; sandbox; frame-ancestors 'none'"

/**
 * What the page reads and verifies by itself: the files of the boards, and blobs by their hash, of which it wants the
 * manifests. Judged by the route that was found and not by the text of the address, which has many spellings.
 */
function isSigned(request: FastifyRequest): boolean {
  const { url } = request.routeOptions
  return url?.startsWith('/tuf/') === true || url === '/blobs/sha256/:hex'
}

async function answer(
  services: Pick<Services, 'config'>,
  folder: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const path = safePath(request.url)
  if (path === '/main-origin.json') return await reply.send({ mainOrigins: mainOriginsOf(services, request) })
  if (path === '/sign-build.json') return await reply.send(signBuildOf(folder))
  const file = path === '/' ? '/sign.html' : path
  const isSent = file !== undefined && (await sendFile(reply, request, join(folder, file), file.startsWith('/assets/')))
  return isSent ? reply : await missing(request, reply)
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  const found = readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}
