import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
}

/** Where the signing page lies in the build. It has an origin of its own, and on any other one it does not exist. */
export const signPageFolder = 'sign-page'

/** These beginnings belong to programs; a path that does not exist there is a 404 and never the web application. */
const programPaths = /^\/(?:api|v2|blobs|device|tuf|livez|readyz)(?:\/|$)/

/**
 * The built web application. Files under `/assets/` carry their hash in the name and are kept for ever; every other path
 * of a browser gets the start page, because the application has its own addresses.
 */
export function registerWebFiles(app: FastifyInstance, folder: string): void {
  app.setNotFoundHandler(async (request, reply) => {
    if ((request.method !== 'GET' && request.method !== 'HEAD') || programPaths.test(request.url))
      return missing(request, reply)
    const path = safePath(request.url)
    if (path === undefined || isOfSignPage(path)) return missing(request, reply)
    if (await sendFile(reply, request, join(folder, path), path.startsWith('/assets/'))) return reply
    if (extname(path) !== '' || !(await sendFile(reply, request, join(folder, 'index.html'), false)))
      return missing(request, reply)
    return reply
  })
}

function isOfSignPage(path: string): boolean {
  return path.split('/').some((part) => part.toLowerCase() === signPageFolder)
}

/** The path within the folder, or undefined for one that tries to leave it. */
export function safePath(url: string): string | undefined {
  try {
    const path = normalize(decodeURIComponent(new URL(url, 'http://local').pathname))
      .split(sep)
      .join('/')
    return path.includes('\0') || path.split('/').some((part) => part.startsWith('.')) ? undefined : path
  } catch {
    // A path that cannot be decoded is nobody's file.
    return undefined
  }
}

/** Sends a file if there is one; answers whether. */
export async function sendFile(
  reply: FastifyReply,
  request: FastifyRequest,
  file: string,
  isForEver: boolean,
): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() !== true) return false
  const etag = `"${found.size.toString(36)}-${Math.trunc(found.mtimeMs).toString(36)}"`
  void reply
    .header('etag', etag)
    .header('cache-control', isForEver ? 'public, max-age=31536000, immutable' : 'no-cache')
    .type(types[extname(file)] ?? 'application/octet-stream')
  if (request.headers['if-none-match'] === etag) await reply.status(304).send()
  else if (request.method === 'HEAD') await reply.header('content-length', found.size).send()
  else await reply.header('content-length', found.size).send(createReadStream(file))
  return true
}

/** Says that there is nothing under this address. */
export async function missing(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const what = `${request.method} ${request.url.split('?')[0] ?? ''}`
  return await reply
    .status(404)
    .send({ code: 'NOT_FOUND', status: 404, message: `There is no ${what}.`, data: { what } })
}
