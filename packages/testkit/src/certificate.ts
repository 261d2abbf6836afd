import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findExecutable } from './content/find-executable.ts'

export const openssl = findExecutable('openssl')

/** A self-made certificate for a host and 127.0.0.1, and its key, as PEM files in the folder. Needs `openssl`. */
export async function makeCertificate(
  folder: string,
  { host, days }: { readonly host: string; readonly days: number },
): Promise<{ readonly cert: string; readonly key: string }> {
  if (openssl === undefined) throw new Error('openssl is not installed')
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', files.key]
  const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host},IP:127.0.0.1`]
  await promisify(execFile)(openssl, ['req', '-x509', ...key, '-days', String(days), ...names, '-out', files.cert])
  return files
}
