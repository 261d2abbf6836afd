import { freshMemory, rememberInstalled, type SeenMemory } from '@bascule/trust/client/memory.ts'
import { targetPathFrom } from '@bascule/trust/tuf/names.ts'
import type { Installer, VersionRecord } from '#/installers/installer.ts'
import { emptyState, type AgentState, type Identity, type Installed } from './state.ts'

/**
 * The state of a device whose journal is lost, from what can be found: the copy of its identity and the records beside
 * the installed versions. Open jobs are not guessed: with generation 0 the server sends what it still wants, and
 * detection finds what is already there. Numbers of reports are asked from the server before a new one is made.
 */
export function rebuildState(
  identity: Identity | null,
  installers: Iterable<Installer>,
  why: string,
  nowIso: string,
): AgentState {
  const records = [...installers].flatMap((installer) => activeRecords(installer))
  return {
    ...emptyState,
    identity,
    installed: installedFrom(records, nowIso),
    // What was installed was permitted then: nothing older is taken from now on either.
    authority: memoryFrom(records),
    seenGeneration: Math.max(0, ...records.map(({ record }) => record.generation)),
    mustAdoptReportHigh: true,
    rebuilt: { at: nowIso, why },
  }
}

/** Which board each line belongs to, and how far it has come. Versions of files are learned again from the cache. */
function memoryFrom(active: readonly ActiveRecord[]): SeenMemory {
  return active.reduce(
    (memory, { record }) => {
      const at = targetPathFrom(record.path ?? '')
      return at
        ? rememberInstalled(memory, `${at.board}/${at.line}`, { counter: record.counter, release: record.release })
        : memory
    },
    freshMemory(Temporal.Instant.from(emptyState.seenTime)),
  )
}

interface ActiveRecord {
  readonly activation: 'current' | 'next'
  readonly folder: string
  readonly record: VersionRecord
}

function activeRecords(installer: Installer): ActiveRecord[] {
  const names = [...new Set(installer.versions().map((entry) => entry.package))]
  return names.flatMap((name) =>
    (['current', 'next'] as const).flatMap((activation) => {
      const folder = installer.active(name, activation)
      const record = folder === null ? null : installer.record(name, folder)
      return folder !== null && record ? [{ activation, folder, record }] : []
    }),
  )
}

/** Packages that were switched in the middle of a job belong to two releases; the line then counts as the newer one. */
function installedFrom(active: readonly ActiveRecord[], since: string): Record<string, Installed> {
  const installed: Record<string, Installed> = {}
  for (const { activation, folder, record } of active.toSorted((a, b) => a.record.counter - b.record.counter)) {
    const key = `${record.productLine}@${activation}`
    const { productLine, release, counter, manifestSha256, package: name, version, index, variant, modules } = record
    const others = installed[key]?.packages ?? []
    const packages = [...others, { name, version, index, variant, modules, installer: record.installer, folder }]
    const by = record.authorisedBy ? { authorisedBy: record.authorisedBy } : {}
    installed[key] = {
      productLine,
      activation,
      release,
      counter,
      manifestSha256,
      packages,
      ...by,
      previous: null,
      since,
    }
  }
  return installed
}
