import { Signature, type TufKey } from '@bascule/contract/device/protocol.ts'
import type { Refusal } from '@bascule/domain/lib/result.ts'
import { canonicalJson, parseStrictJson } from '@bascule/trust/canonical.ts'
import type { Envelope, TrustedKeys } from '@bascule/trust/envelope.ts'
import { expiryFrom } from '@bascule/trust/expiry.ts'
import { clockTolerance, lifetimeMax } from '@bascule/trust/tuf/lifetimes.ts'
import { roleNameFrom } from '@bascule/trust/tuf/names.ts'
import { z } from 'zod'
import { bytesOfHex, sha256HexOf, utf8 } from './bytes.ts'
import { isSignedBy } from './wrapped-key.ts'

/** A file that is not believed, on its way out of a verification of many steps. It is caught where the verification began. */
export class NotBelieved extends Error {
  readonly refusal: Refusal
  constructor(rule: string, fact: string) {
    super(fact)
    const next = 'Do not sign. Compare with another member, who sees the boards from another machine.'
    this.refusal = { rule, fact, lifter: 'The server that handed out the file', next }
  }
}

const Signatures = z.array(Signature).min(1).max(100)

/** Reads a file of this form; what two readers could understand differently is not believed. Nothing is verified yet. */
export function fileFrom<Signed>(name: string, text: string, form: z.ZodType<Signed>): Envelope<Signed> {
  const json = parseStrictJson(text)
  if (!json.ok) throw new NotBelieved('file-has-a-form', `${name} ${json.error}.`)
  const { data } = z.object({ signed: form, signatures: Signatures }).safeParse(json.value)
  if (!data) throw new NotBelieved('file-has-a-form', `${name} is not of the agreed form.`)
  return data
}

/** Whether a quorum signed exactly this. The same key counts once, whatever ids it stands under. */
export async function expectQuorum(
  name: string,
  { signed, signatures }: Envelope<unknown>,
  trusted: TrustedKeys | undefined,
): Promise<void> {
  if (trusted === undefined) throw new NotBelieved('role-is-delegated', `Nobody is named for ${name}.`)
  const message = canonicalJson(signed)
  const signers = new Set<string>()
  for (const { keyid, sig } of signatures) {
    const publicKey = Object.hasOwn(trusted.keys, keyid) ? trusted.keys[keyid]?.keyval.public : undefined
    if (publicKey === undefined || (await keyIdOf(publicKey)) !== keyid) continue
    if (await isSignedBy(publicKey, message, bytesOfHex(sig))) signers.add(publicKey)
  }
  if (signers.size >= trusted.threshold && trusted.threshold >= 1) return
  const fact = `${name} is signed by ${signers.size} of the ${trusted.threshold} keys that it needs.`
  throw new NotBelieved('quorum-signed', fact)
}

/** Whether a file was issued in the past and ends in time: not yet, and not later than any of its kind may. */
export function expectFresh(
  role: string,
  { expires, 'x-issued': issued }: { readonly expires: string; readonly 'x-issued': string },
  at: Temporal.Instant,
): void {
  const [expiresAt, issuedAt] = [expiryFrom(expires), expiryFrom(issued)]
  const latest = at.add(lifetimeMax(roleNameFrom(role)?.kind ?? 'timestamp')).add(clockTolerance)
  if (!expiresAt || Temporal.Instant.compare(expiresAt, at) <= 0) {
    throw new NotBelieved('file-is-fresh', `${role} has ended at ${expires}.`)
  }
  const isBounded = Temporal.Instant.compare(expiresAt, latest) <= 0
  const isPast = issuedAt !== undefined && Temporal.Instant.compare(issuedAt, at.add(clockTolerance)) <= 0
  if (!isBounded || !isPast) {
    throw new NotBelieved('file-is-fresh', `${role} lives from ${issued} until ${expires}, out of bounds.`)
  }
}

/** The name of a key: SHA-256 of the key as TUF writes it. */
export async function keyIdOf(publicKey: string): Promise<string> {
  const key: TufKey = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: publicKey } }
  return await sha256HexOf(utf8(canonicalJson(key)))
}
