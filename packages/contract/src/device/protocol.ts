import { adminReasons, agentSteps, waitReasons } from '@bascule/domain/deliver/agent-step.ts'
import { z } from 'zod'

/**
 * What a device and the server say to each other. Pull is the truth: the device asks, the server answers with the
 * desired state and its generation; duplicates and reordering are harmless. Every request after enrolment is signed
 * by the device key as RFC 9421 says (`http-signature` in packages/trust); sizes are bounded here.
 */
export const deviceProtocolVersion = 1

export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/)
export const ociDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
/** SHA-256 of the canonical TUF key object, lower-case hex: the name of a key everywhere. */
export const keyId = sha256Hex
/**
 * A time as every database stores it: a year from 1970 to 2999, and an offset that some place on Earth has.
 * A report with another would be refused by the database each time it comes.
 */
const instant = z.iso
  .datetime({ offset: true })
  .max(40)
  .regex(/^(?:19[7-9]|2\d\d)\d.*(?:Z|[+-](?:0\d|1[0-4]):\d{2})$/, 'is not a time from 1970 to 2999 with a real offset')
const text = (max: number) => z.string().max(max)

/**
 * Flat facts with dotted names (`os`, `os.version`, `disk.free.bytes`, `package.esbuild`). The query language reads
 * exactly these, on the server and on the device. Site, org unit and role are given by the server, never by the device.
 */
export const Facts = z
  .record(z.string().regex(/^[a-z0-9][a-z0-9._+-]{0,127}$/), z.union([text(512), z.number(), z.boolean()]))
  .refine((facts) => Object.keys(facts).length <= 2000, 'at most 2,000 facts')
export type Facts = z.infer<typeof Facts>

export const Enrol = z.object({
  protocol: z.literal(deviceProtocolVersion),
  token: text(200),
  /** Raw Ed25519 public key, 64 hex characters, as in a TUF key object. */
  publicKey: sha256Hex,
  name: text(100).regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  agentVersion: text(50),
  facts: Facts,
  createdAt: instant,
  /** Ed25519 over `bascule-enrol-v1\n<sha256 of token>\n<publicKey>\n<createdAt>`, hex. */
  proof: z.string().regex(/^[0-9a-f]{128}$/),
})
export type Enrol = z.infer<typeof Enrol>

export const TufKey = z.object({
  keytype: z.literal('ed25519'),
  scheme: z.literal('ed25519'),
  keyval: z.object({ public: sha256Hex }),
})
export type TufKey = z.infer<typeof TufKey>

export const Enrolled = z.object({
  deviceId: keyId,
  state: z.enum(['pending', 'active']),
  serverEpoch: text(64),
  serverTime: instant,
  /** The only key whose assignments this device obeys; pinned at enrolment. */
  directorKey: TufKey,
  nextCheckInSeconds: z.number().int().min(1).max(86_400),
  /** `1.root.json` as text: the anchor. Null before the first ceremony; the device then takes it at its first job. */
  root: text(512_000).nullable().default(null),
})
export type Enrolled = z.infer<typeof Enrolled>

/** Which check of the device's own verification says no; see `refusal.ts` of the trust library for the codes. */
export const AuthorityRefused = z.object({ code: text(40), rule: text(80) })
export type AuthorityRefused = z.infer<typeof AuthorityRefused>

export const Wait = z.object({
  reason: z.enum(waitReasons),
  /** One plain sentence with the numbers in it: "Disk full, 120 MB needed, 3 MB free". */
  detail: text(500),
  since: instant,
  /** What ends the wait, in words: "free space on /opt reaches 120 MB". */
  wakesOn: text(300),
  refusal: AuthorityRefused.optional(),
})
export type Wait = z.infer<typeof Wait>

export const Stuck = z.object({
  reason: z.enum(adminReasons),
  detail: text(1000),
  refusal: AuthorityRefused.optional(),
})
export type Stuck = z.infer<typeof Stuck>

export const JobId = z.string().regex(/^[0-9]{1,15}$/)

export const JobStatus = z.object({
  id: JobId,
  step: z.enum(agentSteps),
  wait: Wait.optional(),
  stuck: Stuck.optional(),
  downloadedBytes: z.number().int().min(0).optional(),
  totalBytes: z.number().int().min(0).optional(),
})
export type JobStatus = z.infer<typeof JobStatus>

export const CheckIn = z.object({
  protocol: z.literal(deviceProtocolVersion),
  /** Rises by one with every signed request of this device and never repeats: the replay guard. */
  seq: z.number().int().min(1),
  /** Generation of the last assignment this device has taken; 0 when it has none. */
  generation: z.number().int().min(0),
  agentVersion: text(50),
  factsHash: sha256Hex,
  /** Sent when they changed, when asked for, and once a day. */
  facts: Facts.optional(),
  /** Open jobs. A finished job is told by its report only. */
  jobs: z.array(JobStatus).max(50),
  /** Jobs in step `ready` that ask whether they may install now. */
  ask: z.array(JobId).max(50),
  /** Highest report sequence number this device ever made. */
  reportHigh: z.number().int().min(0),
  /** Newest timestamp of the release boards' metadata that this device has verified; 0 when none. */
  metadataVersion: z.number().int().min(0).optional(),
})
export type CheckIn = z.infer<typeof CheckIn>

export const Signature = z.object({ keyid: keyId, sig: z.string().regex(/^[0-9a-f]{128}$/) })
export type Signature = z.infer<typeof Signature>

/** Proof that a device key id is a leaf of a phase's frozen audience: sibling hashes from leaf to root. */
export const InclusionProof = z.object({
  index: z.number().int().min(0),
  size: z.number().int().min(1),
  path: z.array(sha256Hex).max(64),
})
export type InclusionProof = z.infer<typeof InclusionProof>

/**
 * One line of an assignment: do this with this release. `install` carries the release manifest as the TUF target;
 * `back-out` returns to the version the device kept; `remove` takes the software away.
 */
export const AssignmentCustom = z.object({
  job: JobId,
  action: z.enum(['install', 'back-out', 'remove']),
  release: text(40),
  productLine: text(60),
  rollout: z.number().int(),
  phase: z.number().int().min(1).max(250),
  verifyLevel: z.number().int().min(0).max(5),
  activation: z.enum(['current', 'next']),
  audienceProof: InclusionProof.optional(),
  /** Site, org unit and role the server gives this device; modules and variants are chosen from these and local facts. */
  attributes: z.object({ site: text(60).optional(), orgUnit: text(60).optional(), roles: z.array(text(60)).max(50) }),
})
export type AssignmentCustom = z.infer<typeof AssignmentCustom>

/**
 * The assignment: a TUF `targets`-type document in canonical JSON for one device, signed by the director key. It is
 * the permit; there is no other. `version` is the generation and never falls.
 */
export const AssignmentSigned = z.object({
  _type: z.literal('targets'),
  spec_version: text(20),
  version: z.number().int().min(1),
  expires: instant,
  targets: z.record(
    text(300),
    z.object({
      length: z.number().int().min(1).max(5_000_000),
      hashes: z.object({ sha256: sha256Hex }),
      custom: AssignmentCustom,
    }),
  ),
  'x-device': keyId,
})
export type AssignmentSigned = z.infer<typeof AssignmentSigned>
export const Assignment = z.object({ signed: AssignmentSigned, signatures: z.array(Signature).min(1).max(10) })
export type Assignment = z.infer<typeof Assignment>

export const CheckInAnswer = z.object({
  serverEpoch: text(64),
  serverTime: instant,
  /** Every report up to and including this number is stored. */
  reportHigh: z.number().int().min(0),
  generation: z.number().int().min(0),
  /** Present only when the device's generation is behind. */
  assignment: Assignment.optional(),
  /** Jobs of `ask` that may install now. The answer is good for 60 seconds. */
  proceed: z.array(JobId),
  /** Jobs of `ask` that may not, with the reason in words. */
  hold: z.array(z.object({ job: JobId, reason: text(500) })),
  /** Base URLs in the order to try; `<base>/blobs/sha256/<hex>`. Empty means: the server itself. */
  sources: z.array(text(300)).max(20),
  wantFacts: z.boolean(),
  /** Newest timestamp that the server knows. A hint when to look again; the device believes only what it verifies. */
  metadataVersion: z.number().int().min(0).optional(),
  /** The server came back from a backup and knows less than the device: it asks for the newer, signed files. */
  wantMetadata: z.boolean().optional(),
  nextCheckInSeconds: z.number().int().min(1).max(86_400),
})
export type CheckInAnswer = z.infer<typeof CheckInAnswer>

/** Who let a release onto a device: the role file that listed it, and the keys whose signatures the device counted. */
export const AuthorisedBy = z.object({
  role: text(121),
  version: z.number().int().min(1),
  rootVersion: z.number().int().min(1),
  snapshotVersion: z.number().int().min(1),
  threshold: z.number().int().min(1),
  signers: z.array(keyId).max(200),
})
export type AuthorisedBy = z.infer<typeof AuthorisedBy>

/** What a terminal step proves: a self-contained document, signed by the device key, that stays evidence. */
export const ReceiptSigned = z.object({
  _type: z.literal('bascule-receipt'),
  specVersion: z.literal(1),
  device: keyId,
  seq: z.number().int().min(1),
  job: JobId,
  release: text(40),
  manifestSha256: sha256Hex,
  generation: z.number().int().min(1),
  action: z.enum(['install', 'back-out', 'remove']),
  outcome: z.enum(['committed', 'rolled-back', 'failed-unchanged', 'already-present', 'not-applicable', 'cancelled']),
  packages: z.array(
    z.object({
      name: text(100),
      version: text(100),
      index: ociDigest,
      variant: text(100),
      modules: z.array(text(100)).max(100),
      before: text(100).nullable(),
      after: text(100).nullable(),
      fileCount: z.number().int().min(0),
      /** SHA-256 over the canonical list of installed files with their hashes, as found on disk. */
      treeSha256: sha256Hex.nullable(),
    }),
  ),
  verification: z.array(
    z.object({
      level: z.number().int().min(0).max(5),
      result: z.enum(['passed', 'failed', 'not-asked', 'not-yet']),
      detail: text(1000),
    }),
  ),
  /** Missing where nothing was authorised: the device refused, or had nothing to do. */
  authorisedBy: AuthorisedBy.optional(),
  cause: text(1000).nullable(),
  startedAt: instant,
  finishedAt: instant,
  agentVersion: text(50),
})
export type ReceiptSigned = z.infer<typeof ReceiptSigned>
export const Receipt = z.object({ signed: ReceiptSigned, signatures: z.array(Signature).length(1) })
export type Receipt = z.infer<typeof Receipt>

/** One entry of the device's report ring. `seq` is contiguous from 1 for the life of the device key. */
export const Report = z.object({
  seq: z.number().int().min(1),
  job: JobId,
  at: instant,
  step: z.enum(agentSteps),
  wait: Wait.optional(),
  stuck: Stuck.optional(),
  /** What happened on the way: a poisoned source, a resumed download, a run interrupted by power. */
  notes: z.array(text(500)).max(20),
  /** Present with every terminal step. */
  receipt: Receipt.optional(),
})
export type Report = z.infer<typeof Report>

export const Reports = z.object({
  protocol: z.literal(deviceProtocolVersion),
  seq: z.number().int().min(1),
  reports: z.array(Report).min(1).max(100),
  /** Oldest number the device still holds. After a restore of the server, reports older than this are gone for good. */
  low: z.number().int().min(1).optional(),
})
export type Reports = z.infer<typeof Reports>

export const ReportsAnswer = z.object({ serverEpoch: text(64), reportHigh: z.number().int().min(0) })
export type ReportsAnswer = z.infer<typeof ReportsAnswer>

/** Files of the metadata as the device has them, verified by it and by the signer again. */
export const MetadataReturn = z.object({
  protocol: z.literal(deviceProtocolVersion),
  seq: z.number().int().min(1),
  files: z.record(z.string().regex(/^(?:\d{1,9}\.)?[a-z0-9.-]{1,130}\.json$/), text(1_000_000)),
})
export type MetadataReturn = z.infer<typeof MetadataReturn>

/** Every refusal on the device routes. `code` is for the program, `message` for the person who reads the log. */
export const DeviceProblem = z.object({
  code: z.enum([
    'bad-input',
    'bad-signature',
    'unknown-device',
    'pending',
    'revoked',
    'replayed',
    'token-refused',
    'too-large',
    'busy',
  ]),
  message: text(500),
})
export type DeviceProblem = z.infer<typeof DeviceProblem>

export const devicePaths = {
  enrol: '/device/v1/enrol',
  checkIn: '/device/v1/checkin',
  reports: '/device/v1/reports',
  /** Signed metadata that a server has lost; answered with nothing but thanks. */
  metadata: '/device/v1/metadata',
  tuf: (name: string) => `/tuf/${name}`,
  blob: (hex: string) => `/blobs/sha256/${hex}`,
} as const
