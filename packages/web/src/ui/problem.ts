import { ORPCError } from '@orpc/client'

/** What went wrong, in the words a person can act on. */
export interface Problem {
  kind: 'refused' | 'bad-input' | 'not-found' | 'forbidden' | 'sign-in-needed' | 'unreachable' | 'broken'
  /** What failed, or the fact that a rule does not allow. */
  what: string
  /** The rule that said no, by the word that documents and the API have for it. */
  rule?: string | undefined
  fact?: string | undefined
  lifter?: string | undefined
  next?: string | undefined
  /** Which fields of a form are wrong, by field. */
  fields?: Readonly<Record<string, string>> | undefined
  reference?: string | undefined
}

interface RefusalData {
  rule: string
  fact: string
  lifter: string
  next: string
}

interface BadInputData {
  field: string
  problem: string
  problems: { field: string; problem: string }[]
}

/** Turns whatever a call threw into a problem. Only the shape is judged here; every sentence of a refusal comes from the server. */
export function problemFrom(error: unknown): Problem {
  if (!(error instanceof ORPCError)) {
    return {
      kind: 'unreachable',
      what: 'The server could not be reached',
      next: 'Check the connection, then try again. Nothing was changed.',
    }
  }
  const data: unknown = error.data
  switch (error.code) {
    case 'REFUSED':
      return refused(data as RefusalData)
    case 'BAD_INPUT':
      return badInput(data as BadInputData)
    case 'NOT_FOUND':
      return { kind: 'not-found', what: `There is no such ${wordIn(data, 'what', 'thing')}` }
    case 'FORBIDDEN':
      return forbidden(wordIn(data, 'permission', 'this'))
    case 'SIGN_IN_NEEDED':
      return { kind: 'sign-in-needed', what: 'You are signed out', next: 'Sign in again; nothing was changed.' }
    case 'TOO_LARGE':
      return { kind: 'bad-input', what: 'This is larger than the server takes' }
    default:
      return broken(error)
  }
}

/** A problem in one line, for a notice that stands for a moment. */
export function problemWords({ what, fact, next }: Problem): string {
  return [asSentence(what), fact, next].filter((part) => part !== undefined).join(' ')
}

export function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function refused({ rule, fact, lifter, next }: RefusalData): Problem {
  return { kind: 'refused', what: fact, rule, lifter, next }
}

function badInput({ field, problem, problems }: BadInputData): Problem {
  const fields = Object.fromEntries(problems.map((each) => [each.field, each.problem]))
  return {
    kind: 'bad-input',
    what: `${field}: ${problem}`,
    fields,
    next: 'Nothing was stored. Correct it and try again.',
  }
}

function forbidden(permission: string): Problem {
  return {
    kind: 'forbidden',
    what: 'Your roles do not allow this',
    fact: `It needs the permission ${permission}.`,
    lifter: 'An administrator',
  }
}

function broken(error: ORPCError<string, unknown>): Problem {
  const reference = wordIn(error.data, 'requestId', '')
  return {
    kind: 'broken',
    what: error.defined ? error.message : `The server answered ${error.status}`,
    next: 'What you saved before is safe. Try again.',
    reference: reference === '' ? undefined : reference,
  }
}

function wordIn(data: unknown, key: string, otherwise: string): string {
  if (typeof data !== 'object' || data === null) return otherwise
  const value: unknown = Reflect.get(data, key)
  return typeof value === 'string' ? value : otherwise
}
