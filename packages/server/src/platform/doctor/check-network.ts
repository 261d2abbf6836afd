import { X509Certificate, createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { findRunningPostgres } from '@bascule/postgres/embedded-postgres.ts'
import { chooseRuntimeFolder } from '@bascule/postgres/socket-folder.ts'
import type { Config } from '#/platform/config.ts'
import { socketPathMaxBytes } from '#/signer/protocol.ts'
import { fail, fine, warn, wordsOf } from './finding.ts'
import type { Look } from './finding.ts'

/** Throws the refusal of `chooseRuntimeFolder`, which says what to do. */
export function checkSocketPaths({ dataFolder }: Config): Look {
  const runtime = chooseRuntimeFolder()
  const near = join(resolve(dataFolder), 'signer', 'signer.sock')
  const isShort = Buffer.byteLength(near) <= socketPathMaxBytes
  return fine(
    isShort
      ? `Sockets fit: PostgreSQL's in ${runtime}, the signer's in the data folder.`
      : `The data folder is too deep for a socket (${socketPathMaxBytes} bytes), so both go to ${runtime}.`,
  )
}

export async function checkPort({ host, port, dataFolder }: Config): Promise<Look> {
  if (port === 0) return fine('A free port is taken at every start.')
  const code = await tryListening(host, port)
  if (code === undefined) return fine(`Port ${port} on ${host} is free.`)
  if (code === 'EADDRINUSE' && findRunningPostgres(dataFolder) !== undefined) {
    return fine(`Port ${port} on ${host} is taken, as it should be: a server works on this data folder.`)
  }
  if (code === 'EADDRINUSE') {
    return fail(
      `Port ${port} on ${host} is taken by another program.`,
      'Stop that program, or choose a port with BASCULE_PORT.',
    )
  }
  if (code === 'EACCES') {
    return fail(
      `This account may not listen on port ${port}.`,
      'Choose a port above 1023 behind a proxy, or give the service AmbientCapabilities=CAP_NET_BIND_SERVICE.',
    )
  }
  return fail(
    `The server cannot listen on ${host}, port ${port}: ${code}.`,
    'Set BASCULE_HOST to an address of this machine.',
  )
}

/** The code of what stands in the way, or undefined. */
async function tryListening(host: string, port: number): Promise<string | undefined> {
  const probe = createServer().listen({ host, port, exclusive: true })
  try {
    await once(probe, 'listening')
  } catch (cause) {
    return cause instanceof Error && 'code' in cause ? String(cause.code) : wordsOf(cause)
  }
  probe.close()
  await once(probe, 'close')
  return undefined
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])
const warnBefore = { hours: 30 * 24 }

export function checkTls(config: Config, now = Temporal.Now.instant()): Look {
  const { host, publicUrl, tlsCert, tlsKey } = config
  if (tlsCert !== undefined && tlsKey !== undefined) return judgeCertificate({ tlsCert, tlsKey, publicUrl }, now)
  if (publicUrl?.startsWith('https:')) return fine(`A proxy speaks TLS for this server at ${publicUrl}.`)
  if (loopback.has(host)) return fine(`Plain http is fine on ${host}: nobody else can listen in.`)
  return warn(
    `The server answers in plain http on ${host}: passwords and cookies can be read on the way.`,
    'Set BASCULE_TLS_CERT and BASCULE_TLS_KEY, or BASCULE_PUBLIC_URL to the https address of a proxy.',
  )
}

function judgeCertificate(
  files: { readonly tlsCert: string; readonly tlsKey: string; readonly publicUrl: string | undefined },
  now: Temporal.Instant,
): Look {
  let certificate: X509Certificate
  let isPair: boolean
  try {
    certificate = new X509Certificate(readFileSync(files.tlsCert))
    isPair = certificate.checkPrivateKey(createPrivateKey(readFileSync(files.tlsKey)))
  } catch (cause) {
    return fail(
      `The certificate or its key cannot be read: ${wordsOf(cause)}.`,
      'Both must be PEM files that the account of the server may read.',
    )
  }
  if (!isPair) return fail(`${files.tlsKey} is not the key of ${files.tlsCert}.`, 'Name the two that belong together.')
  return judgeDates(certificate, now) ?? judgeName(certificate, files.publicUrl)
}

function judgeDates({ validFromDate, validToDate }: X509Certificate, now: Temporal.Instant): Look | undefined {
  const from = validFromDate.toTemporalInstant()
  const until = validToDate.toTemporalInstant()
  const next = 'Renew it, then restart the server: it reads the file at its start.'
  if (Temporal.Instant.compare(now, from) < 0)
    return fail(`The certificate begins only at ${from.toString()}.`, 'Set the clock, or take another certificate.')
  if (Temporal.Instant.compare(now, until) >= 0) return fail(`The certificate expired at ${until.toString()}.`, next)
  if (Temporal.Instant.compare(now.add(warnBefore), until) < 0) return undefined
  return warn(`The certificate expires at ${until.toString()}, in less than 30 days.`, next)
}

function judgeName(certificate: X509Certificate, publicUrl: string | undefined): Look {
  const names = certificate.subjectAltName ?? certificate.subject
  const name = publicUrl === undefined ? undefined : new URL(publicUrl).hostname
  if (name !== undefined && !isFor(certificate, name)) {
    return fail(
      `The certificate is for ${names} and not for ${name} of BASCULE_PUBLIC_URL.`,
      'Take a certificate for that name.',
    )
  }
  return fine(`The certificate for ${names} is good until ${certificate.validToDate.toTemporalInstant().toString()}.`)
}

function isFor(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined
}
