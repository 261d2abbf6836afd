import type { FastifyInstance, FastifyRequest } from 'fastify'

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

/**
 * What the signing page may load: its own files, by name. Nothing inline, nothing made from text, and nobody may put it
 * into a frame, because a person has to see what is signed.
 */
const signPagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Passkeys of its own and nothing else that a browser could be asked for. */
const signPagePermissions = [
  'publickey-credentials-get=(self)',
  'publickey-credentials-create=(self)',
  ...['camera', 'microphone', 'geolocation', 'payment', 'usb', 'serial', 'hid', 'bluetooth', 'display-capture'].map(
    (feature) => `${feature}=()`,
  ),
].join(', ')

/**
 * What every answer carries, whoever writes it. The application opens the signing page in a window of its own and the
 * two talk by messages; with `same-origin` a browser would cut that tie, because the pages have different origins.
 */
export function securityHeaders(isSecure: boolean): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin-allow-popups',
    'cross-origin-resource-policy': 'same-origin',
    ...(isSecure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  }
}

/**
 * As above, for the signing page. It has to leave its opener to itself (`unsafe-none`), or it could not answer it. What
 * an opener of another origin can do with such a window is to navigate it away, to close it, and to send messages.
 */
function signPageHeaders(isSecure: boolean): Record<string, string> {
  return {
    ...securityHeaders(isSecure),
    'cross-origin-opener-policy': 'unsafe-none',
    'referrer-policy': 'no-referrer',
    'permissions-policy': signPagePermissions,
    'x-frame-options': 'DENY',
  }
}

export interface SecurityOptions {
  readonly isSecure: boolean
  readonly isForSigning: (request: FastifyRequest) => boolean
}

export function addSecurityHeaders(app: FastifyInstance, { isSecure, isForSigning }: SecurityOptions): void {
  app.addHook('onSend', async (request, reply) => {
    const isSigning = isForSigning(request)
    const headers = isSigning ? signPageHeaders(isSecure) : securityHeaders(isSecure)
    if (!reply.hasHeader('content-security-policy')) {
      headers['content-security-policy'] = isSigning ? signPagePolicy : pagePolicy
    }
    if (!reply.hasHeader('cache-control')) headers['cache-control'] = 'no-store'
    reply.headers(headers)
  })
}
