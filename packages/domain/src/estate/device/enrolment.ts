import { ok, refuse, type Refusal, type Result } from '#/lib/result.ts'
import { isInNetwork } from './network.ts'

/** What a token allows and how often it was used by different devices. */
export interface TokenTerms {
  readonly usesMax: number
  readonly uses: number
  readonly expiresAt: Temporal.Instant
  readonly revokedAt: Temporal.Instant | null
  readonly fromNetwork: string | null
}

export type TokenRule = 'token-unknown' | 'token-revoked' | 'token-expired' | 'token-used-up' | 'token-other-network'

/** Whether a token that was found lets one more device in, from this address and now. */
export function admitDevice(
  token: TokenTerms | undefined,
  address: string,
  now: Temporal.Instant,
): Result<true, Refusal<TokenRule>> {
  if (!token) return no('token-unknown', 'This enrolment token is not known here.')
  if (token.revokedAt) return no('token-revoked', `This enrolment token was revoked at ${token.revokedAt.toString()}.`)
  if (Temporal.Instant.compare(now, token.expiresAt) >= 0) {
    return no('token-expired', `This enrolment token expired at ${token.expiresAt.toString()}.`)
  }
  if (token.uses >= token.usesMax) {
    return no('token-used-up', `This enrolment token has let in ${token.uses} of ${token.usesMax} devices.`)
  }
  if (token.fromNetwork !== null && !isInNetwork(address, token.fromNetwork)) {
    return no(
      'token-other-network',
      `This enrolment token is for devices in ${token.fromNetwork}, and ${address} is not.`,
    )
  }
  return ok(true)
}

function no(rule: TokenRule, fact: string): Result<never, Refusal<TokenRule>> {
  return refuse({ rule, fact, lifter: 'who makes enrolment tokens', next: 'Ask for a new enrolment token.' })
}
