import type { SeenMemory } from './memory.ts'
import type { Finding } from './refusal.ts'

export interface MemoryCase {
  readonly seen: SeenMemory
  /** What the memory would be after this refresh. */
  readonly now: SeenMemory
  /** Versions that the snapshot names, by role; also of roles that this refresh did not load. */
  readonly metaVersions: Readonly<Record<string, number>>
}

export interface MemoryCheck {
  readonly name: string
  readonly check: (memory: MemoryCase) => Finding | undefined
}

/**
 * What is compared with the device's own memory. tuf-js compares with its cache, and a cache can be lost; whoever
 * holds all online keys could then show the device a state from before a withdrawal.
 */
export const memoryChecks: readonly MemoryCheck[] = [
  { name: 'root-is-not-older', check: rootNotOlder },
  { name: 'roles-are-not-older', check: rolesNotOlder },
  { name: 'online-files-are-not-older', check: onlineNotOlder },
]

function rootNotOlder({ seen, now }: MemoryCase): Finding | undefined {
  return now.rootVersion < seen.rootVersion ? older('root', now.rootVersion, seen.rootVersion) : undefined
}

function rolesNotOlder({ seen, metaVersions }: MemoryCase): Finding | undefined {
  for (const [role, version] of Object.entries(seen.roles)) {
    const has = Object.hasOwn(metaVersions, role) ? (metaVersions[role] ?? 0) : 0
    if (has < version) return older(role, has, version)
  }
  return undefined
}

/** When the custodians rotate the online keys they also forgive a thief who ran the versions up to the end. */
function onlineNotOlder({ seen, now }: MemoryCase): Finding | undefined {
  if (seen.onlineKeys !== now.onlineKeys) return undefined
  if (now.snapshotVersion < seen.snapshotVersion) return older('snapshot', now.snapshotVersion, seen.snapshotVersion)
  if (now.timestampVersion < seen.timestampVersion)
    return older('timestamp', now.timestampVersion, seen.timestampVersion)
  return undefined
}

function older(role: string, has: number, had: number): Finding {
  return { code: 'ROLLBACK', fact: `${role} is version ${has}; this device has seen version ${had}.` }
}
