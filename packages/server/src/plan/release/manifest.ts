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

export interface FrozenPhase {
  readonly order: number
  readonly name: string
  readonly audienceRoot: string | null
  readonly devices: number
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
  const audience = phases.reduce((sum, phase) => sum + phase.devices, 0)
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
    phases: phases.map((phase) => limitFrom(phase, audience)),
    deadline: null,
  } satisfies ReleaseManifest)
  const bytes = Buffer.from(canonicalJson(manifest))
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}

function limitFrom(phase: FrozenPhase, audience: number): PhaseLimit {
  return {
    id: `phase-${phase.order}`,
    order: phase.order,
    audienceRoot: phase.audienceRoot,
    permille: audience === 0 ? 0 : Math.ceil((phase.devices * 1000) / audience),
    notBefore: phase.notBefore,
    notAfter: phase.notAfter,
  }
}
