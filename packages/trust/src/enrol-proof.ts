import type { Enrol } from '@bascule/contract/device/protocol.ts'
import { type KeyPair, sha256Hex, signHex, verifyHex } from './keys.ts'

type ProofFields = Pick<Enrol, 'token' | 'publicKey' | 'createdAt'>

/** Proof that who enrols holds the private key; hex. It names the token, so it is worth nothing with another. */
export function signEnrolProof(device: KeyPair, fields: Omit<ProofFields, 'publicKey'>): string {
  return signHex(device, proofText({ ...fields, publicKey: device.publicKey }))
}

export function isEnrolProofValid(enrol: ProofFields & Pick<Enrol, 'proof'>): boolean {
  return verifyHex(enrol.publicKey, proofText(enrol), enrol.proof)
}

function proofText({ token, publicKey, createdAt }: ProofFields): string {
  return `bascule-enrol-v1\n${sha256Hex(token)}\n${publicKey}\n${createdAt}`
}
