import { signDocument } from '#/envelope.ts'
import { sha256Hex } from '#/keys.ts'
import { authorise, type Authorised } from '#/client/authorise.ts'
import type { InstalledRelease } from '#/client/authorisation-case.ts'
import type { AuthorisationCheck } from '#/client/authorisation-checks.ts'
import type { MemoryCheck } from '#/client/memory-checks.ts'
import { type SeenMemory, freshMemory, timeFloor } from '#/client/memory.ts'
import type { MetadataCheck } from '#/client/metadata-checks.ts'
import { type MetadataSource, type RefreshInput, refreshAuthority } from '#/client/refresh-authority.ts'
import type { VerifiedAuthority } from '#/client/verified-authority.ts'
import type { AuthorityRefusal } from '#/client/refusal.ts'
import type { MetadataCache } from '#/client/tuf-client.ts'
import { type Release, type World, anAssignment, anOrder, device, director, now, second, first } from './world.ts'

type Files = ReadonlyMap<string, Uint8Array>

/** A device that asks one question, and everything that is told to it. */
export interface Scenario {
  /** What each source hands out, in the order in which the device asks them. */
  readonly sources: readonly Files[]
  readonly anchor: { readonly bytes: Uint8Array; readonly sha256?: string }
  readonly cache: Map<string, Uint8Array>
  readonly memory: SeenMemory
  readonly clock: Temporal.Instant
  readonly assignment: unknown
  readonly manifestBytes: Uint8Array
  readonly deviceId: string
  readonly installed: InstalledRelease | null
  readonly kept: InstalledRelease | null
  readonly preferCache?: boolean
  /** The product lines that the device asks about; the one line of the honest board without it. */
  readonly lines?: RefreshInput['lines']
  /** How long the device keeps what it has verified before it asks. */
  readonly askedAfter?: Temporal.Duration
}

/** Lists of checks with one missing; what is not given is complete. */
export interface Checks {
  readonly metadata?: readonly MetadataCheck[]
  readonly memory?: readonly MemoryCheck[]
  readonly authorisation?: readonly AuthorisationCheck[]
}

export type Answer =
  | { readonly ok: true; readonly authorised: Authorised; readonly memory: SeenMemory }
  | { readonly ok: false; readonly refusal: AuthorityRefusal }

/** A fresh device that is told to install the second release over the first: the answer is yes. */
export function honestScenario(world: World, over: Partial<Scenario> = {}): Scenario {
  const bytes = world.files.get('1.root.json') ?? new Uint8Array()
  return {
    sources: [world.files],
    anchor: { bytes, sha256: sha256Hex(bytes) },
    cache: new Map(),
    memory: freshMemory(now.subtract({ hours: 24 * 30 })),
    clock: now,
    assignment: signDocument(anAssignment(anOrder(second)), [director]),
    manifestBytes: second.bytes,
    deviceId: device.keyId,
    installed: installedOf(first),
    kept: null,
    ...over,
  }
}

export function installedOf({ sha256, target }: Release): InstalledRelease {
  return { release: target.custom.release, counter: target.custom.counter, manifestSha256: sha256 }
}

/** Refreshes and asks, as an agent does. */
export async function ask(scenario: Scenario, checks: Checks = {}): Promise<Answer> {
  const refreshed = await refresh(scenario, checks)
  if (!refreshed.ok) return { ok: false, refusal: refreshed.error }
  return askWith(refreshed.value, scenario, checks)
}

export async function refresh(scenario: Scenario, checks: Checks = {}) {
  const { anchor, clock, memory } = scenario
  return await refreshAuthority({
    anchor,
    cache: cacheOf(scenario.cache),
    sources: scenario.sources.map(sourceOf),
    lines: scenario.lines ?? [{ board: 'retail', line: 'pos' }],
    clock,
    memory,
    checks,
    preferCache: scenario.preferCache ?? false,
  })
}

/** Asks with an authority that was refreshed before. */
export function askWith(authority: VerifiedAuthority, scenario: Scenario, checks: Checks = {}): Answer {
  const { assignment, manifestBytes, deviceId, installed, kept, clock, askedAfter } = scenario
  const at = timeFloor(authority.memory, askedAfter ? clock.add(askedAfter) : clock)
  const question = { authority, assignment, manifestBytes, deviceId, installed, kept, at }
  const answer = authorise({ ...question, jobId: '7', memory: authority.memory }, checks.authorisation)
  return answer.ok
    ? { ok: true, authorised: answer.value, memory: answer.value.memory }
    : { ok: false, refusal: answer.error }
}

/** "yes", or the code and the name of the check that refused. */
export function textOf(answer: Answer): string {
  return answer.ok ? 'yes' : `${answer.refusal.code} ${answer.refusal.rule}`
}

export function cacheOf(files: Map<string, Uint8Array>): MetadataCache {
  return { read: (name) => files.get(name), write: (name, bytes) => void files.set(name, bytes) }
}

export function sourceOf(files: Files): MetadataSource {
  return { fetchMetadata: (name) => Promise.resolve(files.get(name)) }
}
