import type { InputProblem } from '@bascule/contract/lib/errors.ts'
import type { Permission } from '@bascule/domain/estate/permission.ts'
import type { Refusal, Result } from '@bascule/domain/lib/result.ts'
import { refuse, unreachable } from '@bascule/domain/lib/result.ts'
import { ORPCError } from '@orpc/server'

export interface Denied {
  readonly kind: 'forbidden'
  readonly permission: Permission
}

/** Every way in which a service says no. A route turns it into the contract's errors with `answer`. */
export type ServiceRefusal =
  | Denied
  | { readonly kind: 'not-found'; readonly what: string }
  | { readonly kind: 'bad-input'; readonly problems: readonly InputProblem[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export type Answer<T> = Result<T, ServiceRefusal>

export function notFound(what: string): Result<never, ServiceRefusal> {
  return refuse({ kind: 'not-found', what })
}

export function badInput(...problems: readonly InputProblem[]): Result<never, ServiceRefusal> {
  return refuse({ kind: 'bad-input', problems })
}

export function refused(refusal: Refusal): Result<never, ServiceRefusal> {
  return refuse({ kind: 'refused', refusal })
}

/** The value of a service's answer, or the contract's error for its refusal, thrown. For routes only. */
export function answer<T>(result: Answer<T>): T {
  if (result.ok) return result.value
  throw errorFrom(result.error)
}

function errorFrom(refusal: ServiceRefusal): ORPCError<string, unknown> {
  switch (refusal.kind) {
    case 'not-found':
      return new ORPCError('NOT_FOUND', {
        status: 404,
        data: { what: refusal.what },
        message: `No such ${refusal.what}.`,
      })
    case 'forbidden':
      return forbidden(refusal.permission)
    case 'bad-input':
      return badInputError(refusal.problems)
    case 'refused':
      return new ORPCError('REFUSED', { status: 409, data: refusal.refusal, message: refusal.refusal.fact })
    default:
      return unreachable(refusal)
  }
}

export function forbidden(permission: string): ORPCError<'FORBIDDEN', { permission: string }> {
  return new ORPCError('FORBIDDEN', {
    status: 403,
    data: { permission },
    message: `This needs the permission ${permission}.`,
  })
}

/** A 400 that names the first problem in its message and carries all of them, at most a hundred. */
export function badInputError(problems: readonly InputProblem[]): ORPCError<'BAD_INPUT', unknown> {
  const first = problems[0] ?? { field: '', problem: 'is not understood' }
  const where = [first.line === undefined ? '' : `line ${first.line}`, first.field].filter(Boolean).join(', ')
  return new ORPCError('BAD_INPUT', {
    status: 400,
    message: `${where === '' ? 'The input' : where}: ${first.problem}`,
    data: { ...first, problems: problems.slice(0, 100) },
  })
}
