import { ReleaseManifest, type PhaseLimit } from '@bascule/contract/device/release-manifest.ts'
import type { ReleasePlan } from '@bascule/contract/plan/release.ts'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import { createHash } from 'node:crypto'

export interface PinnedPackage {
  readonly name: string
  readonly version: string
  readonly indexDigest: string
  readonly indexSizeBytes: number
}

/** A phase as it is signed. Without a root the server decides who, within the share of the fleet in `permille`. */
export interface FrozenPhase {
  readonly order: number
  readonly name: string
  readonly devices: number
  readonly audienceRoot: string | null
  readonly permille: number
  readonly notBefore: string | null
  readonly notAfter: string | null
}

export interface ManifestFile {
  readonly bytes: Uint8Array
  readonly sha256: string
}

/** The release manifest as the bytes that devices fetch: what a release is, in its final shape. Same input, same bytes. */
export function buildManifest(
  releaseId: string,
  counter: number,
  plan: ReleasePlan,
  packages: readonly PinnedPackage[],
  phases: readonly FrozenPhase[],
): ManifestFile {
  const manifest = ReleaseManifest.parse({
    _type: 'bascule-release',
    specVersion: 1,
    productLine: plan.productLine,
    release: releaseId,
    version: plan.version,
    counter,
    packages: packages.map((pinned) => ({
      name: pinned.name,
      version: pinned.version,
      index: { digest: pinned.indexDigest, sizeBytes: pinned.indexSizeBytes },
      modules: [],
    })),
    verifyLevel: plan.verifyLevel,
    backoutFrom: [],
    autoBackout: plan.autoBackout,
    offlineInstall: false,
    phases: phases.map(limitOf),
    deadline: null,
  } satisfies ReleaseManifest)
  const bytes = Buffer.from(canonicalJson(manifest))
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** The limit of a phase as it stands in the manifest and in what the board signs. */
export function limitOf({ order, audienceRoot, permille, notBefore, notAfter }: FrozenPhase): PhaseLimit {
  return { id: `phase-${order}`, order, audienceRoot, permille, notBefore, notAfter }
}
