import { textFact, type PackageFacts } from './package-facts.ts'
import { isVersionInRange } from './version.ts'

export interface SoftwareRequirement {
  readonly name: string
  readonly version?: string | undefined
  /** `wait`: the device waits until it is there; `fail`: somebody must act. */
  readonly onMissing: 'wait' | 'fail'
}

export interface PackageRequirements {
  readonly freeDiskBytes: number
  readonly rights: readonly string[]
  readonly software: readonly SoftwareRequirement[]
}

export interface PackageConflict {
  readonly name: string
  readonly version?: string | undefined
}

/** What stands in the way, with the numbers that the sentence for a person needs. */
export type Obstacle =
  | { readonly kind: 'disk'; readonly needBytes: number; readonly haveBytes: number }
  | { readonly kind: 'right-missing'; readonly right: string }
  | {
      readonly kind: 'software-missing'
      readonly name: string
      readonly range: string | undefined
      readonly found: string | undefined
      readonly onMissing: 'wait' | 'fail'
    }
  | { readonly kind: 'conflict'; readonly name: string; readonly range: string | undefined; readonly found: string }

/**
 * Everything that keeps this device from installing; empty means it may. An unknown amount of free disk counts as
 * none, because running full in the middle is worse than asking.
 */
export function checkRequirements(requires: PackageRequirements, facts: PackageFacts): Obstacle[] {
  return [...diskObstacle(requires.freeDiskBytes, facts), ...rightObstacles(requires.rights, facts)].concat(
    requires.software.flatMap((software) => softwareObstacle(software, facts)),
  )
}

/** Installed software that this package must not stand beside. */
export function checkConflicts(conflicts: readonly PackageConflict[], facts: PackageFacts): Obstacle[] {
  return conflicts.flatMap((conflict) => {
    const found = textFact(facts, `package.${conflict.name}`)
    if (found === undefined) return []
    if (conflict.version !== undefined && !isVersionInRange(found, conflict.version)) return []
    return [{ kind: 'conflict' as const, name: conflict.name, range: conflict.version, found }]
  })
}

function diskObstacle(needBytes: number, facts: PackageFacts): Obstacle[] {
  const free = facts['disk.free.bytes']
  const haveBytes = typeof free === 'number' ? free : 0
  return needBytes > haveBytes ? [{ kind: 'disk', needBytes, haveBytes }] : []
}

function rightObstacles(rights: readonly string[], facts: PackageFacts): Obstacle[] {
  return rights.filter((right) => facts[`right.${right}`] !== true).map((right) => ({ kind: 'right-missing', right }))
}

function softwareObstacle(software: SoftwareRequirement, facts: PackageFacts): Obstacle[] {
  const found = textFact(facts, `package.${software.name}`)
  const isThere = found !== undefined && (software.version === undefined || isVersionInRange(found, software.version))
  if (isThere) return []
  const { name, version: range, onMissing } = software
  return [{ kind: 'software-missing', name, range, found, onMissing }]
}
