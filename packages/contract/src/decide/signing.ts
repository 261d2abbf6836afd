import * as z from 'zod'
import { keyId, Signature } from '../device/protocol.ts'
import { instant } from '../lib/time.ts'

/**
 * What boards and custodians sign, as the API carries it. The documents themselves have their strict form in
 * `@bascule/trust/tuf/documents.ts` and decisions in `@bascule/trust/tuf/decision.ts`; here they are carried unread,
 * because whoever signs reads them with the trust library and never with the eyes of the server.
 */
export const roleKinds = [
  'root',
  'targets',
  'snapshot',
  'timestamp',
  'director',
  'board',
  'line',
  'emergency',
  'stop',
] as const
export const roleName = z
  .string()
  .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)?$/)
  .max(121)
export const boardCode = z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/, 'is not the code of a board')

/** How a key is kept: 1 in this browser, 2 behind a passkey on a page of its own, 3 in the local tool. */
export const KeyLevel = z.int().min(1).max(3)
export type KeyLevel = z.infer<typeof KeyLevel>

/** Who stands behind a key of a role, as far as the server knows. */
export const RoleMember = z.object({
  keyId,
  /** As the board signed it; null where the delegation does not say. */
  level: KeyLevel.nullable(),
  personId: z.string().nullable(),
  /** The person's name, or the label of a key that belongs to nobody here, for example a recovery key on paper. */
  name: z.string(),
  /** Whether this key signed the version that is published. */
  hasSigned: z.boolean(),
})
export type RoleMember = z.infer<typeof RoleMember>

/** One role as the published metadata has it. */
export const AuthorityRole = z.object({
  role: z.string(),
  kind: z.enum(roleKinds),
  board: z.string().nullable(),
  productLine: z.string().nullable(),
  threshold: z.int(),
  minLevel: KeyLevel.nullable(),
  members: z.array(RoleMember),
  version: z.int().nullable().describe('Null for the director, who has no file.'),
  issuedAt: instant.nullable(),
  expiresAt: instant.nullable(),
  state: z.enum(['effective', 'expiring', 'expired']).describe('Expiring: a person has to sign within 30 days.'),
  releases: z.array(z.string()).describe('Releases that the role lists.'),
})
export type AuthorityRole = z.infer<typeof AuthorityRole>

export const draftStates = ['queued', 'signing', 'published', 'superseded', 'expired', 'withdrawn'] as const

/** One document of a draft, with everything a tool needs to review it and everybody who signed. */
export const DraftDocument = z.object({
  role: z.string(),
  kind: z.enum(roleKinds),
  /** What was decided, as `@bascule/trust/tuf/decision.ts` writes it. */
  decision: z.unknown(),
  /** The document to sign: its canonical JSON is what a signature is made over. */
  signed: z.unknown(),
  signatures: z.array(Signature.extend({ name: z.string(), at: instant })),
  threshold: z.int(),
  members: z.array(RoleMember),
})
export type DraftDocument = z.infer<typeof DraftDocument>

export const DraftView = z.object({
  id: z.uuid(),
  title: z.string(),
  kind: z.enum(['decision', 'governance', 'ceremony']),
  state: z.enum(draftStates),
  caseId: z.string().nullable(),
  proposedBy: z.string(),
  proposedAt: instant,
  publishedAt: instant.nullable(),
  /** Empty while the draft waits in the queue of its role. */
  documents: z.array(DraftDocument),
  /** Why the last attempt to publish was refused; null when there was none. */
  refusal: z.object({ rule: z.string(), fact: z.string(), lifter: z.string(), next: z.string() }).nullable(),
})
export type DraftView = z.infer<typeof DraftView>
