import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Config } from '#/platform/config.ts'
import type { Services } from '#/platform/feature.ts'
import { originOf } from './admit.ts'

/**
 * The page that unlocks a member's key with a passkey has an origin of its own, so that no script of the application
 * can ever speak in its name: a browser lets a passkey be used only by pages of the name that it was made for.
 */
type Settings = Pick<Config, 'publicUrl' | 'signUrl'>

/** Whether a request is for the signing page. Ports do not matter: they share passkeys, so they must not differ either. */
export function isForSigning(config: Settings, request: Pick<FastifyRequest, 'host'>): boolean {
  const asked = nameOf(request.host)
  const own = config.signUrl ?? config.publicUrl
  if (own === undefined) return asked.startsWith('sign.')
  const { hostname } = new URL(own)
  return asked === (config.signUrl === undefined ? `sign.${hostname}` : hostname)
}

/** Origin of the signing page, for whoever opens it. Undefined where a number stands for the name: it has no names below it. */
export function signOriginOf(services: Pick<Services, 'config'>, request: FastifyRequest): string | undefined {
  const { signUrl } = services.config
  if (signUrl !== undefined) return new URL(signUrl).origin
  const { protocol, host, hostname } = new URL(originOf(services, request))
  return isNumber(hostname) ? undefined : `${protocol}//sign.${host}`
}

/** Origin of the application as the signing page must see it: the only one it answers. */
export function mainOriginOf({ config }: Pick<Services, 'config'>, request: FastifyRequest): string {
  if (config.publicUrl !== undefined) return new URL(config.publicUrl).origin
  return `${request.protocol}://${request.host.replace(/^sign\./i, '')}`
}

function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}

function isNumber(hostname: string): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
}
