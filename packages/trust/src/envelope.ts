import type { Signature, TufKey } from '@bascule/contract/device/protocol.ts'
import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { canonicalJson, canonicalise } from './canonical.ts'
import { type KeyPair, keyIdOf, signHex, verifyHex } from './keys.ts'

export { expiryFrom, expiryText } from './expiry.ts'

/** A document in TUF's form: what is said, and who signed its canonical bytes. */
export interface Envelope<Signed> {
  signed: Signed
  signatures: Signature[]
}

export type EnvelopeRefusalCode =
  | 'malformed'
  | 'not-canonical'
  | 'duplicate-signature'
  | 'key-id'
  | 'bad-signature'
  | 'threshold'

/** Why a signed document is not believed: a code for programs, a sentence for people. */
export interface TrustRefusal<Code extends string> {
  readonly code: Code
  readonly message: string
}

/** Whose signatures count and how many are needed. Keys stand under the id that the document's author claims. */
export interface TrustedKeys {
  readonly keys: Readonly<Record<string, TufKey>>
  readonly threshold: number
}

/** Signs a document with one or more keys. */
export function signDocument<Signed>(signed: Signed, pairs: readonly KeyPair[]): Envelope<Signed> {
  const message = canonicalJson(signed)
  return { signed, signatures: pairs.map((pair) => ({ keyid: pair.keyId, sig: signHex(pair, message) })) }
}

/** Trust in exactly one key. */
export function onlyKey(key: TufKey): TrustedKeys {
  return { keys: { [keyIdOf(key.keyval.public)]: key }, threshold: 1 }
}

/**
 * Whether enough trusted keys signed exactly this document. A signature of an unknown key counts for nothing; one key
 * that appears twice, or a key under an id that is not its own hash, condemns the document: both are ways to make one
 * person look like two.
 */
export function verifyDocument(
  document: unknown,
  trusted: TrustedKeys,
): Result<unknown, TrustRefusal<EnvelopeRefusalCode>> {
  const envelope = envelopeFrom(document)
  if (!envelope) return no('malformed', 'The document is not {signed, signatures}.')
  const keysProblem = problemOfKeys(trusted)
  if (keysProblem) return no('key-id', keysProblem)

  const ids = envelope.signatures.map((signature) => signature.keyid)
  if (new Set(ids).size !== ids.length) return no('duplicate-signature', 'A key has signed twice.')
  const message = canonicalise(envelope.signed)
  if (!message.ok) return no('not-canonical', `The document ${message.error}.`)
  return countSignatures(envelope, message.value, trusted)
}

function countSignatures(
  envelope: Envelope<unknown>,
  message: string,
  trusted: TrustedKeys,
): Result<unknown, TrustRefusal<EnvelopeRefusalCode>> {
  const known = envelope.signatures.filter(({ keyid }) => Object.hasOwn(trusted.keys, keyid))
  const good = known.filter(({ keyid, sig }) => verifyHex(trusted.keys[keyid]?.keyval.public ?? '', message, sig))
  if (good.length >= trusted.threshold) return ok(envelope.signed)
  if (known.length > good.length) {
    return no('bad-signature', 'A trusted key stands beside the document, but its signature does not fit the content.')
  }
  return no('threshold', `Signed by ${good.length} of ${trusted.threshold} trusted keys.`)
}

function problemOfKeys({ keys, threshold }: TrustedKeys): string | undefined {
  const entries = Object.entries(keys)
  const alias = entries.find(([id, key]) => keyIdOf(key.keyval.public) !== id)
  if (alias) return `The key id ${alias[0].slice(0, 12)} is not the hash of its key.`
  const isReachable = Number.isSafeInteger(threshold) && threshold >= 1 && threshold <= entries.length
  return isReachable ? undefined : `A threshold of ${threshold} of ${entries.length} keys is not possible.`
}

function envelopeFrom(document: unknown): Envelope<unknown> | undefined {
  if (typeof document !== 'object' || document === null) return undefined
  if (!Object.hasOwn(document, 'signed') || !Object.hasOwn(document, 'signatures')) return undefined
  const { signed, signatures } = document as Envelope<unknown>
  const isList = Array.isArray(signatures) && signatures.length >= 1 && signatures.length <= signaturesMax
  return isList && signatures.every(isSignature) ? { signed, signatures } : undefined
}

const signaturesMax = 100

function isSignature(value: unknown): value is Signature {
  if (typeof value !== 'object' || value === null) return false
  const { keyid, sig } = value as Partial<Signature>
  return typeof keyid === 'string' && /^[0-9a-f]{64}$/.test(keyid) && typeof sig === 'string'
}

function no(code: EnvelopeRefusalCode, message: string): Result<never, TrustRefusal<EnvelopeRefusalCode>> {
  return refuse({ code, message })
}
