import type { FactValue } from '../query/query.ts'

/** What the CMDB says a device runs: versions by package. */
export type RecordedPackages = ReadonlyMap<string, string>

export interface Drift {
  readonly package: string
  readonly kind: 'other-version' | 'missing' | 'unmanaged'
  readonly expected: string | null
  readonly found: string | null
}

/**
 * Where the inventory of a device says other than the CMDB. `managed` are the packages that are under configuration
 * control at all: software that never came through here is nobody's drift.
 */
export function driftOf(
  recorded: RecordedPackages,
  facts: Readonly<Record<string, FactValue>>,
  managed: ReadonlySet<string>,
): Drift[] {
  const names = new Set([...recorded.keys(), ...managed])
  return Array.from(names)
    .toSorted()
    .flatMap((name) => driftOfPackage(name, recorded.get(name) ?? null, foundVersion(facts[`package.${name}`])))
}

function driftOfPackage(name: string, expected: string | null, found: string | null): Drift[] {
  if (expected === found) return []
  if (found === null) return [{ package: name, kind: 'missing', expected, found }]
  return [{ package: name, kind: expected === null ? 'unmanaged' : 'other-version', expected, found }]
}

function foundVersion(value: FactValue | undefined): string | null {
  return value === undefined ? null : String(value)
}
