import { type Assignment, devicePaths } from '@bascule/contract/device/protocol.ts'
import { type Result, refuse } from '@bascule/domain/lib/result.ts'
import { freshMemory } from '@bascule/trust/client/memory.ts'
import { type AuthorityRefusal, refusalFrom } from '@bascule/trust/client/refusal.ts'
import { refreshAuthority } from '@bascule/trust/client/refresh-authority.ts'
import type { VerifiedAuthority } from '@bascule/trust/client/verified-authority.ts'
import { targetPathFrom } from '@bascule/trust/tuf/names.ts'
import type { Http } from './http-send.ts'

/** What the release boards have signed, or why none of it can be believed. */
export type Authority = Result<VerifiedAuthority, AuthorityRefusal>

/**
 * The signed metadata as a device verifies it, from the first root on. Verified once for the whole fleet: every device
 * would come to the same, and what a device then asks of it about its own job is asked by each device.
 */
export interface Authorities {
  /** Devices are given the first root when they enrol; without it, it is taken from the server at the first job. */
  pin(root: string): void
  readonly newest: Authority
  /** Looks again when this assignment names a line that is new here, or the server knows of a newer timestamp. */
  bringFor(assignment: Assignment | undefined, timestampVersion: number, now: Temporal.Instant): Promise<void>
}

export function createAuthorities(http: Pick<Http, 'get'>): Authorities {
  const lines = new Map<string, { board: string; line: string }>()
  const cache = new Map<string, Uint8Array>()
  let anchor: Uint8Array | undefined
  let newest: Authority = refuse(refusalFrom('some-source-answers', { code: 'UNAVAILABLE', fact: 'Nothing is known.' }))
  let looking: Promise<void> = Promise.resolve()

  async function fetchMetadata(name: string): Promise<Uint8Array | undefined> {
    const { status, body } = await http.get(devicePaths.tuf(name))
    return status === 200 ? body : undefined
  }

  async function look(now: Temporal.Instant): Promise<void> {
    anchor ??= await fetchMetadata('1.root.json').catch(() => undefined)
    if (!anchor) return
    newest = await refreshAuthority({
      anchor: { bytes: anchor },
      cache: { read: (name) => cache.get(name), write: (name, bytes) => void cache.set(name, bytes) },
      sources: [{ fetchMetadata }],
      lines: [...lines.values()],
      clock: now,
      memory: newest.ok ? newest.value.memory : freshMemory(now),
    })
  }

  function isBehind(timestampVersion: number): boolean {
    if (lines.size === 0) return false
    return !newest.ok || newest.value.timestampVersion < timestampVersion
  }

  return {
    pin(root) {
      anchor ??= Buffer.from(root)
    },
    get newest() {
      return newest
    },
    async bringFor(assignment, timestampVersion, now) {
      const known = lines.size
      for (const path of Object.keys(assignment?.signed.targets ?? {})) {
        const at = targetPathFrom(path)
        if (at) lines.set(`${at.board}/${at.line}`, { board: at.board, line: at.line })
      }
      const isNew = lines.size > known
      // Who comes while somebody looks waits for that, and looks only if it was not enough.
      await looking
      if (!isNew && !isBehind(timestampVersion)) return
      looking = look(now)
      await looking
    },
  }
}
