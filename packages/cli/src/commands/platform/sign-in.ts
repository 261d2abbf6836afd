import { buildCommand } from '@stricli/core'
import { failWith, printResult, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { jsonFlag, parseServer, serverFlags } from '#/lib/server-flags.ts'
import { openMemberHome } from '#/lib/signing/member-home.ts'
import { ask, askSecret, canAsk, readSecretFile } from '#/lib/signing/terminal.ts'
import { targetOf } from '#/lib/target.ts'
import { failureFrom } from '#/lib/with-server.ts'

interface SignInFlags {
  readonly server?: string
  readonly email?: string
  readonly passwordFile?: string
  readonly link?: string
  readonly json: boolean
}

export const signInCommand = buildCommand<SignInFlags, [], CliContext>({
  docs: {
    brief: 'Sign in as a person, because machines neither vote nor hold keys of a board',
    fullDescription:
      'Keeps the session in ~/.bascule (or BASCULE_HOME), readable by you alone. With --link a one-time sign-in link is used up; otherwise e-mail address and password are asked for, or taken from --password-file.',
  },
  parameters: {
    flags: {
      server: serverFlags.server,
      email: { kind: 'parsed', parse: String, optional: true, brief: 'Your e-mail address' },
      passwordFile: { kind: 'parsed', parse: String, optional: true, brief: 'File with your password' },
      link: { kind: 'parsed', parse: parseServer, optional: true, brief: 'One-time link that somebody gave you' },
      json: jsonFlag,
    },
  },
  func: signIn,
})

async function signIn(this: CliContext, flags: SignInFlags): Promise<void> {
  const server = flags.link === undefined ? targetOf(this, flags)?.server : new URL(flags.link).origin
  if (server === undefined) return
  try {
    const response = await (flags.link === undefined ? withPassword(this, server, flags) : followLink(flags.link))
    if (response === undefined) return
    const cookie = cookieOf(response)
    if (cookie === undefined) {
      failWith(this, exitCodes.refused, flags.json, { kind: 'not-signed-in', problem: await problemOf(response) })
      return
    }
    openMemberHome(this.process.env).serverMemory(server).setSession(cookie)
    printResult(this, flags.json, { server, signedIn: true }, [`Signed in to ${server}.`])
  } catch (cause) {
    const { exitCode, ...error } = failureFrom(cause, server)
    failWith(this, exitCode, flags.json, error)
  }
}

async function withPassword(context: CliContext, server: string, flags: SignInFlags): Promise<Response | undefined> {
  const isAsked = canAsk(context)
  if (!isAsked && (flags.email === undefined || flags.passwordFile === undefined)) {
    const problem = 'There is nobody to ask: use --email with --password-file, or --link.'
    failWith(context, exitCodes.usage, flags.json, { kind: 'nobody-to-ask', problem })
    return undefined
  }
  const email = flags.email ?? (await ask(context, 'E-mail address: '))
  const password =
    flags.passwordFile === undefined ? await askSecret(context, 'Password: ') : readSecretFile(flags.passwordFile)
  return await fetch(`${server}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: new URL(server).origin },
    body: JSON.stringify({ email, password }),
  })
}

/** The answer leads to the start page with a cookie, or to the sign-in page without one. */
async function followLink(link: string): Promise<Response> {
  return await fetch(link, { redirect: 'manual' })
}

function cookieOf(response: Response): string | undefined {
  const cookies = response.headers.getSetCookie().map((line) => line.split(';')[0] ?? '')
  const isKept = response.status < 400 && cookies.some((each) => each.includes('session_token='))
  return isKept ? cookies.join('; ') : undefined
}

async function problemOf(response: Response): Promise<string> {
  if (response.status < 400) return 'The link was used already or is too old. Ask for another one.'
  const body = (await response.json().catch(() => ({}))) as { message?: string }
  return body.message ?? `The server answered ${response.status}.`
}
