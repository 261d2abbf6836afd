import { readFileSync, statSync } from 'node:fs'

/** Where the enrolment token comes from. A file is read only when the device has to be enrolled, and may go afterwards. */
export type TokenSource = { readonly text: string } | { readonly file: string }

/** The token cannot be read; said in one sentence. */
export class TokenUnreadable extends Error {}

export function readToken(source: TokenSource, log: (line: string) => void): string {
  if ('text' in source) return source.text
  const { file } = source
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
    const isOpen = process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0
    if (isOpen) log(`Other accounts of this machine can read the enrolment token in ${file}: chmod 600 ${file}.`)
  } catch (cause) {
    throw new TokenUnreadable(`The enrolment token cannot be read: ${(cause as Error).message}.`, { cause })
  }
  if (text === '') throw new TokenUnreadable(`The enrolment token cannot be read: ${file} is empty.`)
  return text
}

/** Said once at the start, before the first byte is sent. */
export function warnOfPlainHttp(server: string | null, log: (line: string) => void): void {
  if (server === null || !isPlainHttp(server)) return
  log(
    `The connection to ${server} is not private: others on the way can read the enrolment token, what this device reports and what it downloads. ` +
      'Nothing but what the server signed is installed all the same. Use an https address.',
  )
}

/** Whether what is sent to this address leaves the machine unencrypted. */
export function isPlainHttp(server: string): boolean {
  const { protocol, hostname } = new URL(server)
  return protocol === 'http:' && !isLoopback(hostname)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d+){3}$/.test(host)
}
