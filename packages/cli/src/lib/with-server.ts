import { api } from '@bascule/contract/api.ts'
import { createORPCClient, ORPCError } from '@orpc/client'
import type { ContractRouterClient } from '@orpc/contract'
import type { JsonifiedClient } from '@orpc/openapi-client'
import { OpenAPILink } from '@orpc/openapi-client/fetch'
import { failWith, type CliContext } from './context.ts'
import { exitCodes } from './exit-code.ts'
import type { ServerFlags } from './server-flags.ts'
import { type Target, targetOf } from './target.ts'

export type ApiClient = JsonifiedClient<ContractRouterClient<typeof api>>

/** Does the work over the public API of the chosen server. What goes wrong becomes a sentence and an exit code. */
export async function withServer(
  context: CliContext,
  flags: ServerFlags,
  work: (client: ApiClient) => Promise<void>,
): Promise<void> {
  const target = targetOf(context, flags)
  if (target === undefined) return
  await withTarget(context, flags, target, work)
}

/** As `withServer`, for a target that is chosen already. */
export async function withTarget(
  context: CliContext,
  flags: ServerFlags,
  target: Target,
  work: (client: ApiClient) => Promise<void>,
): Promise<void> {
  const { server } = target
  try {
    await work(createORPCClient(new OpenAPILink(api, { url: `${server}/api`, headers: headersOf(target) })))
  } catch (cause) {
    const { exitCode, ...error } = failureFrom(cause, server)
    failWith(context, exitCode, flags.json, error)
  }
}

/** A write with a cookie says where it comes from, as a browser does. */
function headersOf({ server, apiKey, session }: Target): Record<string, string> {
  if (apiKey !== undefined) return { authorization: `Bearer ${apiKey}` }
  return session === undefined ? {} : { cookie: session, origin: new URL(server).origin }
}

interface Failure {
  readonly exitCode: number
  readonly kind: string
  readonly problem: string
}

/** A no of the server is 4, a server that is away or not well is 5, anything else is 1. */
export function failureFrom(cause: unknown, server: string): Failure {
  if (cause instanceof ORPCError && cause.status < 500) return refusalFrom(cause)
  if (cause instanceof ORPCError && cause.status === 503) {
    return { exitCode: exitCodes.timeout, kind: 'unavailable', problem: `${server}: ${cause.message}` }
  }
  if (cause instanceof TypeError && cause.message === 'fetch failed') {
    const reason = cause.cause instanceof Error ? cause.cause.message : cause.message
    return { exitCode: exitCodes.timeout, kind: 'unreachable', problem: `${server} does not answer: ${reason}` }
  }
  const problem = cause instanceof Error ? cause.message : String(cause)
  return { exitCode: exitCodes.failed, kind: 'failed', problem: `${server}: ${problem}` }
}

function refusalFrom({ code, message, data }: ORPCError<string, unknown>): Failure {
  const { rule, fact, lifter, next } = (data ?? {}) as Partial<Record<'rule' | 'fact' | 'lifter' | 'next', string>>
  const isRefusal = rule !== undefined && fact !== undefined
  const problem = isRefusal
    ? `${fact} ${next ?? ''}${lifter === undefined ? '' : ` (Who can help: ${lifter}.)`}`
    : message
  const kind = isRefusal ? rule : code.toLowerCase().replaceAll('_', '-')
  return {
    exitCode: exitCodes.refused,
    kind,
    problem: kind === 'sign-in-needed' ? `${message} People: bascule sign-in. Machines: BASCULE_API_KEY.` : problem,
  }
}
