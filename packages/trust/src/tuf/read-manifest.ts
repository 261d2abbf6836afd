import { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { canonicalJson, parseStrictJson } from '#/canonical.ts'
import type { ReleaseTarget } from './documents.ts'

export interface ManifestProblem {
  readonly rule: 'manifest-is-the-signed-one' | 'manifest-has-a-form' | 'manifest-says-what-is-signed'
  readonly fact: string
}

/**
 * Reads a manifest whose bytes are known to be those that the target pins, and compares it with the limits that stand
 * beside it. A device compares only what it needs at that moment; whoever signs compares everything, because people
 * read the one and devices obey the other.
 */
export function readManifest(
  bytes: Uint8Array,
  custom: ReleaseTarget['custom'],
): Result<ReleaseManifest, ManifestProblem> {
  const json = parseStrictJson(new TextDecoder().decode(bytes))
  const manifest = json.ok ? ReleaseManifest.safeParse(json.value) : undefined
  if (!manifest?.success) {
    return refuse({ rule: 'manifest-has-a-form', fact: 'The manifest is not of the agreed form.' })
  }
  const differs = shared.filter((name) => canonicalJson(manifest.data[name]) !== canonicalJson(custom[name]))
  if (differs.length === 0) return ok(manifest.data)
  const fact = `The manifest says something else than the draft about: ${differs.join(', ')}.`
  return refuse({ rule: 'manifest-says-what-is-signed', fact })
}

const shared = ['productLine', 'release', 'counter', 'phases', 'deadline', 'autoBackout'] as const
