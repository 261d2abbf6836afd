import { betterAuth } from 'better-auth'
import type { BetterAuthPlugin } from 'better-auth'
import { createAuthEndpoint } from 'better-auth/api'
import { setSessionCookie } from 'better-auth/cookies'
import { hashPassword, verifyPassword } from 'better-auth/crypto'
import { Pool } from 'pg'
import type { ClientConfig } from 'pg'
import type { Logger } from 'pino'
import * as z from 'zod'

export interface AuthOptions {
  readonly connection: ClientConfig
  readonly secret: string
  readonly isSecure: boolean
  readonly log: Logger
  /** Who may come in with this one-time code; it is spent by asking. */
  readonly redeem: (code: string) => Promise<string | undefined>
}

export const passwords = { hash: hashPassword, verify: verifyPassword }

const dayS = 86_400

/**
 * Sessions and passwords, by better-auth. It has a small pool of its own, because it wants JavaScript dates where
 * everything else here wants instants. Nobody signs up: people come from the estate.
 */
export function createAuth(options: AuthOptions) {
  const pool = new Pool({ ...options.connection, max: 4, application_name: 'bascule-auth' })
  pool.on('error', (cause) => {
    options.log.warn({ err: cause }, 'a database connection for sign-in was lost')
  })
  const auth = betterAuth({
    database: pool,
    secret: options.secret,
    baseURL: `${options.isSecure ? 'https' : 'http'}://localhost`,
    basePath: '/api/auth',
    // The route builds the request with the address the browser used, so this is "only from our own pages".
    trustedOrigins: (request) => (request === undefined ? [] : [new URL(request.url).origin]),
    user: { modelName: 'auth_user' },
    session: { modelName: 'auth_session', expiresIn: 7 * dayS, updateAge: dayS },
    account: { modelName: 'auth_account' },
    verification: { modelName: 'auth_verification' },
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: 10, maxPasswordLength: 128 },
    // Passwords can be guessed, so attempts are counted per address; a code of 256 bits cannot.
    rateLimit: {
      enabled: true,
      window: 60,
      max: 300,
      customRules: { '/sign-in/email': { window: 60, max: 30 }, '/sign-in/link': false },
    },
    advanced: {
      cookiePrefix: 'bascule',
      useSecureCookies: options.isSecure,
      defaultCookieAttributes: { sameSite: 'lax', httpOnly: true },
      ipAddress: { ipAddressHeaders: [clientHeader] },
      database: { generateId: 'uuid' },
    },
    telemetry: { enabled: false },
    logger: {
      level: 'warn',
      log: (level, message) => {
        options.log[level]({ from: 'better-auth' }, message)
      },
    },
    plugins: [signInLink(options.redeem)],
  })
  return {
    auth,
    [Symbol.asyncDispose]: async () => {
      await pool.end()
    },
  }
}

/** Set by us from the connection; whatever a client sends under this name is dropped. */
export const clientHeader = 'x-bascule-client'

/** Opens a session for whoever holds a one-time code and goes on to the start page. */
function signInLink(redeem: AuthOptions['redeem']) {
  const query = z.object({ code: z.string().max(100) })
  return {
    id: 'sign-in-link',
    endpoints: {
      signInLink: createAuthEndpoint('/sign-in/link', { method: 'GET', query }, async (ctx) => {
        const userId = await redeem(ctx.query.code)
        const user = userId === undefined ? null : await ctx.context.internalAdapter.findUserById(userId)
        if (user === null) throw ctx.redirect('/sign-in?problem=link-spent')
        const session = await ctx.context.internalAdapter.createSession(user.id)
        await setSessionCookie(ctx, { session, user })
        throw ctx.redirect('/')
      }),
    },
  } satisfies BetterAuthPlugin
}
