import { readFileSync, writeFileSync } from 'node:fs'

interface LockEntry {
  version?: string
  os?: string[]
  cpu?: string[]
  libc?: string[]
  dev?: boolean
  optional?: boolean
  optionalDependencies?: Record<string, string>
}

interface Lock {
  packages: Record<string, LockEntry>
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']

export interface MissingPlatform {
  readonly path: string
  readonly name: string
  readonly version: string
  readonly dev: boolean
}

/** Platform builds that a package of the lock names exactly and that have no entry of their own, with their place. */
export function missingPlatforms(lock: Lock): MissingPlatform[] {
  const taken = new Map(Object.entries(lock.packages).map(([path, entry]) => [path, entry.version]))
  const missing: MissingPlatform[] = []
  for (const [from, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!/^\d/.test(version)) continue
      const found = placesOf(from, name).find((place) => taken.has(place))
      if (found !== undefined && taken.get(found) === version) continue
      const path = found === undefined ? `node_modules/${name}` : `${from}/node_modules/${name}`
      taken.set(path, version)
      missing.push({ path, name, version, dev: entry.dev === true })
    }
  }
  return missing
}

/** Where Node would look for a package, nearest first. */
function placesOf(from: string, name: string): string[] {
  const places = [`${from === '' ? '' : `${from}/`}node_modules/${name}`]
  for (let at = from.lastIndexOf('/node_modules/'); at >= 0; at = from.lastIndexOf('/node_modules/', at - 1)) {
    places.push(`${from.slice(0, at)}/node_modules/${name}`)
  }
  places.push(`node_modules/${name}`)
  return places
}

/** The entry of a build for another platform: exact version, and the platform, so that nobody else downloads it. */
export function platformEntry(missing: MissingPlatform): LockEntry {
  const words = missing.name.split(/[/-]/)
  const os = systems.find((system) => words.includes(system))
  const cpu = processors.find((processor) => words.includes(processor))
  if (!os && !cpu) throw new Error(`${missing.name} does not tell its platform by its name; add it to the lock by hand`)
  return {
    version: missing.version,
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(missing.dev ? { dev: true } : {}),
    optional: true,
    ...(os ? { os: [os] } : {}),
  }
}

/**
 * npm leaves builds for other platforms out of the lock when a registry does not carry them, and `npm ci` then
 * refuses the lock everywhere. This adds them; returns the names it added.
 */
export function completeLock(file: string): string[] {
  const lock = JSON.parse(readFileSync(file, 'utf8')) as Lock
  const missing = missingPlatforms(lock)
  if (missing.length === 0) return []
  for (const one of missing) lock.packages[one.path] = platformEntry(one)
  const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'))
  writeFileSync(file, JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2) + '\n')
  return missing.map((one) => one.path)
}
