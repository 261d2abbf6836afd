import type { AuthorityRefused } from '@bascule/contract/device/protocol.ts'
import type { AdminReason, WaitReason } from '@bascule/domain/deliver/agent-step.ts'

/** What was brought is not what was signed. */
export class ContentError extends Error {}

/** Nobody could be reached, or nobody gave everything; trying again is worth it. */
export class NetworkError extends Error {
  /** When the other side named a time: not before. */
  readonly retryAfterMs: number | undefined

  constructor(message: string, retryAfterMs?: number) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** Every source gave other bytes than were signed. Another source may come, so this heals by itself for a day. */
export class PoisonError extends NetworkError {}

interface WaitMore {
  readonly needBytes?: number
  /** Which check of the authority says no. */
  readonly refusal?: AuthorityRefused
}

/** The job waits for something that is not there now and comes by itself. */
export class WaitError extends Error {
  readonly reason: WaitReason
  readonly wakesOn: string
  readonly needBytes: number | undefined
  readonly refusal: AuthorityRefused | undefined

  constructor(reason: WaitReason, detail: string, wakesOn: string, more: WaitMore = {}) {
    super(detail)
    this.reason = reason
    this.wakesOn = wakesOn
    this.needBytes = more.needBytes
    this.refusal = more.refusal
  }
}

/** A person is needed. */
export class StuckError extends Error {
  readonly reason: AdminReason
  readonly refusal: AuthorityRefused | undefined

  constructor(reason: AdminReason, detail: string, refusal?: AuthorityRefused) {
    super(detail)
    this.reason = reason
    this.refusal = refusal
  }
}

export type Failure =
  | {
      readonly kind: 'wait'
      readonly reason: WaitReason
      readonly detail: string
      readonly wakesOn: string
      readonly needBytes?: number
      readonly refusal?: AuthorityRefused
    }
  | {
      readonly kind: 'stuck'
      readonly reason: AdminReason
      readonly detail: string
      readonly refusal?: AuthorityRefused
    }

/** Who can lift what went wrong: time and the device itself, or a person. Pure. */
export function classify(error: unknown, needBytes: number): Failure {
  if (error instanceof WaitError) {
    const { reason, message, wakesOn, needBytes: need } = error
    const more = need === undefined ? {} : { needBytes: need }
    return { kind: 'wait', reason, detail: message, wakesOn, ...more, ...refusalOf(error) }
  }
  if (error instanceof StuckError) {
    return { kind: 'stuck', reason: error.reason, detail: error.message, ...refusalOf(error) }
  }
  if (error instanceof ContentError) return { kind: 'stuck', reason: 'content', detail: error.message }
  if (error instanceof NetworkError) {
    return { kind: 'wait', reason: 'network', detail: error.message, wakesOn: 'the server or another source answers' }
  }
  return classifyCode(error, needBytes)
}

function refusalOf({ refusal }: WaitError | StuckError): { refusal?: AuthorityRefused } {
  return refusal ? { refusal } : {}
}

function classifyCode(error: unknown, needBytes: number): Failure {
  const code = codeOf(error)
  const detail = error instanceof Error ? error.message : String(error)
  switch (code ?? 'none') {
    case 'ENOSPC':
    case 'EDQUOT':
      return {
        kind: 'wait',
        reason: 'disk',
        detail: `Disk full: ${detail}`,
        wakesOn: 'there is free space again',
        needBytes,
      }
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOMEM':
    case 'EAGAIN':
    case 'EBUSY':
      return {
        kind: 'wait',
        reason: 'lock',
        detail: `The system is short of something: ${detail}`,
        wakesOn: 'the next try',
      }
    case 'EACCES':
    case 'EPERM':
      return { kind: 'stuck', reason: 'rights', detail: `A right is missing: ${detail}` }
    case 'EIO':
    case 'EROFS':
      return { kind: 'stuck', reason: 'storage', detail: `The storage fails: ${detail}` }
    default:
      return { kind: 'stuck', reason: 'unknown-state', detail }
  }
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code
}
