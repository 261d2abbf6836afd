import { type Assignment, AssignmentCustom, TufKey, keyId, sha256Hex } from '@bascule/contract/device/protocol.ts'
import { assignmentTargetsMax, isTargetPath } from '@bascule/trust/assignment.ts'
import { expiryFrom } from '@bascule/trust/envelope.ts'
import type { PublishRefusal } from '@bascule/trust/tuf/publish-checks.ts'
import * as z from 'zod'
import type { Recovered } from './repository/open-repository.ts'
import type { RepositoryFile } from './repository/repository-files.ts'

/**
 * What the server may ask of the signer: one JSON document per line over a unix socket, answers in the same form. There
 * are five questions, and none of them carries bytes to sign: the signer writes what it signs by itself. What is to be
 * published was signed by people, and the signer judges all of it again.
 */
export const signerProtocolVersion = 1
export const signBatchMax = 500
export const signerLineMaxBytes = 16 * 1024 * 1024
/** The kernel's limit for the path of a unix socket. */
export const socketPathMaxBytes = 107
/** Leaves room above every honest generation, and none for a jump to where integers end. */
const generationMax = 2 ** 40

const SignTarget = z.strictObject({
  path: z.string().refine(isTargetPath, 'cannot name a release'),
  lengthBytes: z.number().int().min(1).max(5_000_000),
  sha256: sha256Hex,
  custom: AssignmentCustom,
})

export const SignItem = z.strictObject({
  device: keyId,
  generation: z.number().int().min(1).max(generationMax),
  /** Whole seconds with a Z, as TUF writes instants. */
  expires: z
    .string()
    .refine((text) => expiryFrom(text) !== undefined, 'is not an instant such as 2026-11-23T08:00:00Z'),
  targets: z.array(SignTarget).max(assignmentTargetsMax),
})
export type SignItem = z.infer<typeof SignItem>

const id = z.number().int().min(0)
/** Only the outermost form; the checks of the repository read the rest. */
const SignedByPeople = z.strictObject({ signed: z.record(z.string(), z.unknown()), signatures: z.array(z.unknown()) })
const seenVersion = z.number().int().min(0).max(generationMax).optional()
export const SignerRequest = z.discriminatedUnion('type', [
  z.strictObject({ id, type: z.literal('status') }),
  // Items are judged one by one: calls of different devices share a batch, and one bad item is nobody else's trouble.
  z.strictObject({ id, type: z.literal('signAssignments'), items: z.array(z.unknown()).min(1).max(signBatchMax) }),
  z.strictObject({
    id,
    type: z.literal('publish'),
    /** By role name; without any, the online roles are signed anew. */
    documents: z.record(z.string().max(130), SignedByPeople),
    /** Highest versions that devices have seen: after a restore of an old backup the next ones are above them. */
    seen: z.strictObject({ snapshot: seenVersion, timestamp: seenVersion }).partial().optional(),
  }),
  z.strictObject({ id, type: z.literal('repositoryFiles') }),
  // Texts that devices have kept. They prove themselves: by the signer's own signatures and by those of people.
  z.strictObject({
    id,
    type: z.literal('recover'),
    files: z.record(z.string().max(150), z.string().max(1_000_000)),
  }),
])
export type SignerRequest = z.infer<typeof SignerRequest>

export const SignerStatus = z.object({
  protocol: z.literal(signerProtocolVersion),
  directorKey: TufKey,
  /** What a root has to name for the two roles that this signer renews. */
  onlineKeys: z.object({ snapshot: TufKey, timestamp: TufKey }),
  startedAt: z.string(),
  /** Devices that ever got an assignment. */
  deviceCount: z.number().int(),
  log: z.object({ entryCount: z.number().int(), hash: sha256Hex }),
})
export type SignerStatus = z.infer<typeof SignerStatus>

export type SignRefusalCode =
  | 'bad-request'
  | 'device-twice'
  | 'path-twice'
  | 'generation-used'
  | 'expired'
  | 'lifetime'
  | 'log-unwritable'

export interface SignRefusal {
  readonly code: SignRefusalCode
  readonly message: string
  /** With `generation-used`: what the next generation has to be above. */
  readonly lastGeneration?: number
}

/** The answer for one device of a batch, in the order of the batch. */
export type SignResult =
  | { readonly device: string; readonly assignment: Assignment }
  | { readonly device: string; readonly refusal: SignRefusal }

export type SignerAnswer =
  | { readonly id: number; readonly status: SignerStatus }
  | { readonly id: number; readonly results: readonly SignResult[] }
  | { readonly id: number; readonly files: readonly RepositoryFile[] }
  | { readonly id: number; readonly recovered: Recovered }
  | { readonly id: number; readonly publishRefusal: PublishRefusal }
  | { readonly id: number; readonly refusal: SignRefusal }
