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

/** Names under which a machine speaks to itself. A browser takes `sign.localhost` for the same machine. */
const loopback: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/** Whether a request is for the signing page. Its port does not matter: ports share passkeys, so none may be another page. */
export function isForSigning({ signUrl, publicUrl }: Settings, request: Pick<FastifyRequest, 'host'>): boolean {
  const asked = request.host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
  if (signUrl !== undefined) return asked === new URL(signUrl).hostname
  if (publicUrl !== undefined) return asked === signNameOf(new URL(publicUrl).hostname)
  return asked.startsWith('sign.')
}

/** Origin of the signing page, for whoever opens it. Undefined where a number stands for the name: nothing has a name below it. */
export function signOriginOf(services: Pick<Services, 'config'>, request: FastifyRequest): string | undefined {
  const { signUrl } = services.config
  if (signUrl !== undefined) return new URL(signUrl).origin
  const { protocol, hostname, port } = new URL(originOf(services, request))
  const name = signNameOf(hostname)
  return name === undefined ? undefined : `${protocol}//${name}${portText(port)}`
}

/** Origins of the application as the signing page must see them: the only ones it answers. */
export function mainOriginsOf({ config }: Pick<Services, 'config'>, request: FastifyRequest): readonly string[] {
  const own = config.publicUrl ?? `${request.protocol}://${request.host.replace(/^sign\./i, '')}`
  const { origin, protocol, hostname, port } = new URL(own)
  if (config.publicUrl !== undefined || !loopback.includes(hostname)) return [origin]
  return loopback.map((name) => `${protocol}//${name}${portText(port)}`)
}

function signNameOf(hostname: string): string | undefined {
  if (loopback.includes(hostname)) return 'sign.localhost'
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? `sign.${hostname}` : undefined
}

function portText(port: string): string {
  return port === '' ? '' : `:${port}`
}
