import type { InputProblem } from '@bascule/contract/lib/errors.ts'
import { ORPCError } from '@orpc/server'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { badInputError } from '#/platform/lib/answer.ts'

interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What is wrong with an input, field by field, from the issues of its schema. Plain routes use it as well. */
export function problemsFrom(issues: readonly Issue[]): InputProblem[] {
  return issues.map(({ message, path = [] }) => ({
    field: path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    problem: inWords(message),
  }))
}

/** The library's own messages begin the same and say `undefined` for what a person left out. */
function inWords(message: string): string {
  return message.endsWith('received undefined') ? 'is missing' : message.replace('Invalid input: ', '')
}

/**
 * The answer for what a procedure or a plain route threw. Expected errors go out as they are, a database that is away
 * is a 503, and everything else is our mistake: a 500 without details, with the request's id to find the log line.
 */
export function errorFrom(cause: unknown): ORPCError<string, unknown> {
  const issues = schemaIssues(cause)
  if (issues !== undefined) return badInputError(problemsFrom(issues))
  if (cause instanceof ORPCError && cause.status < 500) return cause
  const root = cause instanceof ORPCError ? cause.cause : cause
  const code = codeOf(root)
  if (noText.test(code)) return badInputError([{ field: '', problem: 'has a character that is no text' }])
  if (code === uniqueViolation) return duplicate(root)
  if (isDatabaseAway(root, code)) {
    return new ORPCError('UNAVAILABLE', {
      status: 503,
      message: 'The database does not answer. Try again soon.',
      cause: root,
    })
  }
  return (
    fromFastify(root, code) ??
    new ORPCError('INTERNAL_SERVER_ERROR', { status: 500, message: 'This is our mistake.', cause: root })
  )
}

/** Codes of PostgreSQL for "cannot be reached": shut down, too many, connection lost. */
const databaseAway = /^(?:57P0[123]|53300|08...)$/

/**
 * Node says the same of a socket whoever is at its other end. Only the database is reached through one here, but a file
 * may be missing, and a client that goes away in the middle of its body is told with the code of a connection too.
 */
function isDatabaseAway(cause: unknown, code: string): boolean {
  if (databaseAway.test(code)) return true
  const syscall = cause instanceof Error && 'syscall' in cause ? cause.syscall : undefined
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return syscall === 'connect'
  return (code === 'ECONNRESET' || code === 'EPIPE') && (syscall === 'read' || syscall === 'write')
}

const uniqueViolation = '23505'
/** PostgreSQL takes neither a NUL nor half a surrogate pair, which addresses and headers may carry. */
const noText = /^(?:22021|22P05)$/
const brokenAddress = new Set(['FST_ERR_BAD_URL', 'FST_ERR_MAX_PARAM_LENGTH'])

function schemaIssues(cause: unknown): readonly Issue[] | undefined {
  if (!(cause instanceof ORPCError) || cause.code !== 'BAD_REQUEST') return undefined
  const data: unknown = cause.data
  if (typeof data !== 'object' || data === null || !('issues' in data) || !Array.isArray(data.issues)) return undefined
  return data.issues as readonly Issue[]
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
}

/** Two did the same at once and the database let only one through. */
function duplicate(cause: unknown): ORPCError<string, unknown> {
  const detail = cause instanceof Error && 'detail' in cause ? String(cause.detail) : ''
  const named = /^Key \((.+?)\)=\((.+)\) already exists/.exec(detail)
  const fact = named === null ? 'This is there already.' : `There is already one with ${named[1]} ${named[2]}.`
  const data = {
    rule: 'already-there',
    fact,
    lifter: 'who owns the other one',
    next: 'Change that one or choose another name.',
  }
  return new ORPCError('REFUSED', { status: 409, message: fact, data })
}

function fromFastify(cause: unknown, code: string): ORPCError<string, unknown> | undefined {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const limitBytes = cause instanceof Error && 'limitBytes' in cause ? Number(cause.limitBytes) : 0
    return new ORPCError('TOO_LARGE', {
      status: 413,
      message: `The body is larger than ${limitBytes} bytes.`,
      data: { limitBytes },
    })
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new ORPCError('BAD_MEDIA_TYPE', { status: 415, message: 'This content type is not understood here.' })
  }
  if (code === 'ECONNRESET') return badInputError([{ field: 'body', problem: 'ended before it was whole' }])
  if (brokenAddress.has(code)) return badInputError([{ field: 'address', problem: 'cannot be understood' }])
  const status = cause instanceof Error && 'statusCode' in cause ? Number(cause.statusCode) : 500
  if (status < 400 || status >= 500 || !(cause instanceof Error)) return undefined
  return badInputError([{ field: 'body', problem: cause.message }])
}

/** Answers whatever was thrown before or outside of a procedure: broken JSON, too large, a plain route's refusal. */
export function sendError(thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const limitBytes = request.routeOptions.bodyLimit
  const error = errorFrom(
    codeOf(thrown) === 'FST_ERR_CTP_BODY_TOO_LARGE' ? Object.assign(thrown, { limitBytes }) : thrown,
  )
  if (error.status >= 500) request.log.error({ err: thrown }, 'request failed')
  void reply.status(error.status).send(error.toJSON())
}
