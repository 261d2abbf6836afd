import { z } from 'zod'
import { ociDigest, sha256Hex } from './protocol.ts'

/**
 * The release manifest: the one file a release is to a device. It pins 1..n packages in order by digest and carries
 * the limits of the rollout. The board signs it as a TUF target (one release = one target); recipes live only in the
 * OCI config blobs and are pinned through the index digests. Integers and ISO instants only, ASCII keys.
 */
export const PhaseLimit = z.object({
  id: z.string().max(60),
  order: z.number().int().min(1).max(250),
  /** Merkle root over the frozen audience's device key ids; null when the server decides who (dynamic audience). */
  audienceRoot: sha256Hex.nullable(),
  /** Largest share of the whole audience this phase may reach, in thousandths. */
  permille: z.number().int().min(0).max(1000),
  notBefore: z.iso.datetime({ offset: true }).nullable(),
  notAfter: z.iso.datetime({ offset: true }).nullable(),
})
export type PhaseLimit = z.infer<typeof PhaseLimit>

export const ManifestPackage = z.object({
  name: z.string().max(100),
  version: z.string().max(100),
  /** Digest and length of the OCI image index. */
  index: z.object({ digest: ociDigest, sizeBytes: z.number().int().min(1) }),
  /** Which roles get which module; `*` is everybody. Modules not named here follow the package's own rule. */
  modules: z.array(z.object({ name: z.string().max(100), roles: z.array(z.string().max(60)).max(100) })),
})
export type ManifestPackage = z.infer<typeof ManifestPackage>

export const ReleaseManifest = z.object({
  _type: z.literal('bascule-release'),
  specVersion: z.literal(1),
  productLine: z.string().max(60),
  release: z.string().max(40),
  version: z.string().max(100),
  /** Rises with every release of the line and is never used twice: protection against going back. */
  counter: z.number().int().min(1),
  packages: z.array(ManifestPackage).min(1).max(50),
  verifyLevel: z.number().int().min(0).max(5),
  /** Releases from which going back to this one is allowed. */
  backoutFrom: z.array(z.string().max(40)).max(20),
  /** Whether a device returns by itself to what it had when the health command fails. */
  autoBackout: z.boolean(),
  offlineInstall: z.boolean(),
  phases: z.array(PhaseLimit).min(1).max(250),
  deadline: z.iso.datetime({ offset: true }).nullable(),
})
export type ReleaseManifest = z.infer<typeof ReleaseManifest>
