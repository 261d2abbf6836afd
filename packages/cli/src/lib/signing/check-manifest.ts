import { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { canonicalJson, parseStrictJson } from '@bascule/trust/canonical.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import type { ReleaseTarget } from '@bascule/trust/tuf/documents.ts'

export interface ManifestProblem {
  readonly rule: 'manifest-is-the-signed-one' | 'manifest-has-a-form' | 'manifest-says-what-is-signed'
  readonly fact: string
}

/**
 * Whether these bytes are what the target pins, and say the same as the limits that stand beside it. A device compares
 * only what it needs at that moment; whoever signs compares everything, because people read the one and devices obey the other.
 */
export function checkManifest(bytes: Uint8Array, target: ReleaseTarget): Result<ReleaseManifest, ManifestProblem> {
  if (bytes.length !== target.length || sha256Hex(bytes) !== target.hashes.sha256) {
    const fact = `The manifest has ${bytes.length} bytes and SHA-256 ${sha256Hex(bytes).slice(0, 12)}; the draft pins ${target.length} bytes and ${target.hashes.sha256.slice(0, 12)}.`
    return refuse({ rule: 'manifest-is-the-signed-one', fact })
  }
  const json = parseStrictJson(new TextDecoder().decode(bytes))
  const manifest = json.ok ? ReleaseManifest.safeParse(json.value) : undefined
  if (!manifest?.success) {
    return refuse({ rule: 'manifest-has-a-form', fact: 'The manifest is not of the agreed form.' })
  }
  const differs = differencesOf(manifest.data, target.custom)
  if (differs.length === 0) return ok(manifest.data)
  const fact = `The manifest says something else than the draft about: ${differs.join(', ')}.`
  return refuse({ rule: 'manifest-says-what-is-signed', fact })
}

const shared = ['productLine', 'release', 'counter', 'phases', 'deadline', 'autoBackout'] as const

function differencesOf(manifest: ReleaseManifest, custom: ReleaseTarget['custom']): string[] {
  return shared.filter((name) => canonicalJson(manifest[name]) !== canonicalJson(custom[name]))
}
