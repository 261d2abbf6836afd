import type { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { refuse, type Result } from '@bascule/domain/lib/result.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import type { ReleaseTarget } from '@bascule/trust/tuf/documents.ts'
import { type ManifestProblem, readManifest } from '@bascule/trust/tuf/read-manifest.ts'

/** Whether these bytes are what the target pins, and say the same as the limits that stand beside it. */
export function checkManifest(bytes: Uint8Array, target: ReleaseTarget): Result<ReleaseManifest, ManifestProblem> {
  if (bytes.length === target.length && sha256Hex(bytes) === target.hashes.sha256) {
    return readManifest(bytes, target.custom)
  }
  const fact = `The manifest has ${bytes.length} bytes and SHA-256 ${sha256Hex(bytes).slice(0, 12)}; the draft pins ${target.length} bytes and ${target.hashes.sha256.slice(0, 12)}.`
  return refuse({ rule: 'manifest-is-the-signed-one', fact })
}
