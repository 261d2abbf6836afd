import type { FastifyInstance } from 'fastify'

/** What our pages may load: our own files, nothing else. Styles also inline, which component libraries need. */
export const pagePolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** The API page configures itself in an inline script; still nothing of it may reach another host. */
export const documentationPolicy = pagePolicy.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'")

/** What every answer carries, whoever writes it. */
export function securityHeaders(isSecure: boolean): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    ...(isSecure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  }
}

export function addSecurityHeaders(app: FastifyInstance, isSecure: boolean): void {
  app.addHook('onSend', async (_request, reply) => {
    const headers = securityHeaders(isSecure)
    if (!reply.hasHeader('content-security-policy')) headers['content-security-policy'] = pagePolicy
    if (!reply.hasHeader('cache-control')) headers['cache-control'] = 'no-store'
    reply.headers(headers)
  })
}
