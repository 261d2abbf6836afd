import { ok, refuse, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import { base64urlOf, bytesOfBase64url, type Bytes, randomBytes } from './bytes.ts'

/** A passkey of this page, and its secret for the salt where the authenticator gives it at once. */
export interface NewPasskey {
  readonly credentialId: string
  readonly secret: Bytes | undefined
}

/** ES256 and EdDSA and RS256: whatever the authenticator has, because none of its signatures is ever used. */
const anySignature = [-7, -8, -257].map((alg) => ({ type: 'public-key', alg }) as const)

/** Makes a passkey for this name of a page only. It signs nothing; it keeps a secret. */
export async function makePasskey(
  salt: Bytes,
  names: { readonly label: string; readonly personName: string },
): Promise<Result<NewPasskey, Refusal>> {
  const name = `${names.personName} · ${names.label}`
  return await asking(async () => {
    const credential = (await navigator.credentials.create({
      publicKey: {
        rp: { id: location.hostname, name: 'Bascule signing' },
        user: { id: randomBytes(16), name, displayName: name },
        // Nobody checks the answer: it is the secret that counts, and that comes with a touch or not at all.
        challenge: randomBytes(32),
        pubKeyCredParams: anySignature,
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
        attestation: 'none',
        extensions: { prf: { eval: { first: salt } } },
      },
    })) as PublicKeyCredential | null
    if (credential === null) return refuse(notGiven)
    const { prf } = credential.getClientExtensionResults()
    if (prf?.enabled !== true && prf?.results === undefined) return refuse(noSecret)
    return ok({ credentialId: base64urlOf(credential.rawId), secret: secretIn(prf) })
  })
}

/** Asks the person for a touch (and a finger, a face or a PIN) and answers the secret of the passkey for this salt. */
export async function unlockPasskey(credentialId: string, salt: Bytes): Promise<Result<Bytes, Refusal>> {
  return await asking(async () => {
    const credential = (await navigator.credentials.get({
      publicKey: {
        rpId: location.hostname,
        challenge: randomBytes(32),
        allowCredentials: [{ type: 'public-key', id: bytesOfBase64url(credentialId) }],
        userVerification: 'required',
        extensions: { prf: { eval: { first: salt } } },
      },
    })) as PublicKeyCredential | null
    if (credential === null) return refuse(notGiven)
    const secret = secretIn(credential.getClientExtensionResults().prf)
    return secret === undefined ? refuse(noSecret) : ok(secret)
  })
}

/** Where a browser has no passkeys at all, that is a refusal and not a broken page. */
export function hasPasskeys(): boolean {
  return isSecureContext && typeof PublicKeyCredential === 'function'
}

function secretIn(prf: AuthenticationExtensionsPRFOutputs | undefined): Bytes | undefined {
  const first = prf?.results?.first
  if (first === undefined) return undefined
  return ArrayBuffer.isView(first)
    ? Uint8Array.from(new Uint8Array(first.buffer, first.byteOffset, first.byteLength))
    : new Uint8Array(first)
}

/** "No" of a person and "I do not know this passkey" are one answer of a browser, on purpose. */
async function asking<T>(question: () => Promise<Result<T, Refusal>>): Promise<Result<T, Refusal>> {
  if (!hasPasskeys()) return refuse(noPasskeys)
  try {
    return await question()
  } catch (error) {
    if (error instanceof DOMException) return refuse({ ...notGiven, fact: `${notGiven.fact} (${error.name})` })
    throw error
  }
}

const noPasskeys: Refusal = {
  rule: 'passkeys-are-there',
  fact: 'This browser gives this page no passkeys.',
  lifter: 'Whoever runs this server, with https, or a newer browser',
  next: 'Sign with a key of the browser or with the bascule command line.',
}

const notGiven: Refusal = {
  rule: 'passkey-answered',
  fact: 'The passkey did not answer: it was declined, it took too long, or it is not on this device.',
  lifter: 'You',
  next: 'Try again with the device that has the passkey.',
}

/** The fallback: not every authenticator can keep such a secret. */
const noSecret: Refusal = {
  rule: 'passkey-keeps-a-secret',
  fact: 'This passkey cannot unlock a key: its authenticator has no PRF extension (hmac-secret).',
  lifter: 'Another authenticator: a recent phone, a recent security key, or the passkeys of this computer',
  next: 'Choose another authenticator, or sign with a key of the browser or with the bascule command line.',
}
