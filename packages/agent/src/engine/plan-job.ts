import type { Facts } from '@bascule/contract/device/protocol.ts'
import type { ManifestPackage, ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import type { PackageConfig } from '@bascule/contract/estate/oci.ts'
import { chooseModules } from '@bascule/domain/estate/package/choose-modules.ts'
import { checkConflicts, checkRequirements, type Obstacle } from '@bascule/domain/estate/package/requirements.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import type { Installer, VersionContent } from '#/installers/installer.ts'
import type { InstalledPackage } from '#/journal/state.ts'
import { roundFree } from '#/inventory/linux.ts'
import { findVariant } from './find-variant.ts'
import { StuckError, WaitError } from './failure.ts'
import type { Job, Plan, PlannedPackage } from './job.ts'
import { contentOf } from './package-content.ts'
import type { JobEvent } from './reduce.ts'
import { authoriseJob, type AuthorisedJob } from './authorise-job.ts'
import { installedKey, type World } from './world.ts'

/** Looks at everything before the first byte is fetched: permit, variant, modules, requirements, space, what is there. */
export async function planJob(world: World, job: Job, note: (text: string) => void): Promise<JobEvent> {
  const authorised = await authoriseJob(world, job, note)
  const { manifest, by: authorisedBy } = authorised
  if (job.action !== 'install') return planReturn(world, job, authorised)

  const facts = withExactSpace(world, await world.facts())
  const packages: PlannedPackage[] = []
  const configs: PackageConfig[] = []
  for (const wanted of manifest.packages) {
    const found = await findVariant(world, wanted, facts, note)
    if (!found.ok) return { kind: 'ended', outcome: 'not-applicable', cause: found.error }
    refuseObstacles(found.value.config, facts, manifest)
    configs.push(found.value.config)
    packages.push(planPackage(world, job, wanted, found.value))
  }
  const plan = planOf(authorised, job, [...packages, ...planLeftovers(world, job, manifest)], configs)
  if (isPresent(world, job, plan, configs, manifest)) {
    return { kind: 'ended', outcome: 'already-present', cause: 'Exactly this is installed and intact.', plan }
  }
  needSpace(world, plan, configs)
  return { kind: 'planned', plan, authorisedBy }
}

/** The server is told round numbers; a decision needs the exact one, unless a trial says what the space is. */
function withExactSpace(world: World, facts: Facts): Facts {
  const freeBytes = world.platform.freeBytes(world.root)
  return facts['disk.free.bytes'] === roundFree(freeBytes) ? { ...facts, 'disk.free.bytes': freeBytes } : facts
}

function planPackage(
  world: World,
  job: Job,
  wanted: ManifestPackage,
  { config, configDigest }: { config: PackageConfig; configDigest: string },
): PlannedPackage {
  const installer = world.installers.get(config.recipe.install.type)
  if (!installer) {
    throw new StuckError(
      'installer',
      `${wanted.name} needs the installer "${config.recipe.install.type}", which this agent does not have.`,
    )
  }
  const chosen = chooseModules(config.recipe.modules, job.custom.attributes.roles, wanted.modules)
  const modules = chosen.map((module) => module.name)
  const folderBefore = installer.active(wanted.name, job.activation)
  const before = folderBefore === null ? null : installer.record(wanted.name, folderBefore)
  const content = contentOf(config, modules)
  return {
    name: wanted.name,
    version: wanted.version,
    index: wanted.index.digest,
    configDigest,
    variant: config.variant.id,
    modules,
    layers: config.layers.filter((layer) => modules.includes(layer.module)),
    installer: installer.type,
    folder: usableFolder(installer, wanted, sha256Hex(`${configDigest} ${modules.join(' ')}`).slice(0, 8), content),
    folderBefore,
    versionBefore: before?.version ?? folderBefore,
  }
}

/**
 * The name says version and content (recipe and modules, not only the version: another role gets another tree). A
 * version that rotted on disk is never repaired in place, because it may be running: its successor gets the next name.
 */
function usableFolder(installer: Installer, wanted: ManifestPackage, digest8: string, content: VersionContent): string {
  const present = new Set(
    installer
      .versions()
      .filter((entry) => entry.package === wanted.name)
      .map((entry) => entry.folder),
  )
  for (let copy = 1; ; copy += 1) {
    const folder = `${wanted.version}-${digest8}${copy === 1 ? '' : `-${copy}`}`
    if (!present.has(folder)) return folder
    const isWhole = installer.record(wanted.name, folder) !== null
    if (isWhole && installer.inspect(wanted.name, folder, content).problems.length === 0) return folder
  }
}

/** What the release before had and this one has not any more goes away with it, and comes back with it. */
function planLeftovers(world: World, job: Job, manifest: ReleaseManifest): PlannedPackage[] {
  const installed = world.journal.state.installed[installedKey(job.productLine, job.activation)]
  const names = new Set(manifest.packages.map(({ name }) => name))
  return (installed?.packages ?? []).filter(({ name }) => !names.has(name)).map((entry) => leaving(entry))
}

function leaving(entry: InstalledPackage): PlannedPackage {
  return {
    ...entry,
    configDigest: '',
    layers: [],
    installer: entry.installer,
    folder: null,
    folderBefore: entry.folder,
    versionBefore: entry.version,
  }
}

/** The limits are the ones that people signed; the manifest says what is installed and how it is checked. */
function planOf(
  { manifest, custom }: AuthorisedJob,
  job: Job,
  packages: PlannedPackage[],
  configs: PackageConfig[],
): Plan {
  const levels = configs.map((config) => config.recipe.verify.level)
  return {
    packages: packages.map((entry) => ({
      ...entry,
      layers: entry.layers.map(({ digest, sizeBytes }) => ({ digest, sizeBytes })),
    })),
    totalBytes: packages.flatMap((entry) => entry.layers).reduce((sum, layer) => sum + layer.sizeBytes, 0),
    // A package or an assignment may ask for more than the release, never for less.
    verifyLevel: Math.max(manifest.verifyLevel, job.custom.verifyLevel, ...levels),
    autoBackout: custom.autoBackout,
    offlineInstall: manifest.offlineInstall,
    counter: custom.counter,
  }
}

function refuseObstacles(config: PackageConfig, facts: Facts, manifest: ReleaseManifest): void {
  // Packages of the same release stand in order: what comes earlier counts as there.
  const withRelease = { ...facts }
  for (const { name, version } of manifest.packages) withRelease[`package.${name}`] ??= version
  const requirements = checkRequirements(config.recipe.requires, withRelease)
  for (const obstacle of [...requirements, ...checkConflicts(config.recipe.conflicts, facts)]) {
    throw refusalOf(obstacle, config.package.name)
  }
}

function refusalOf(obstacle: Obstacle, name: string): Error {
  switch (obstacle.kind) {
    case 'disk': {
      const { needBytes, haveBytes } = obstacle
      return new WaitError(
        'disk',
        `${name} needs ${megabytes(needBytes)} free, there are ${megabytes(haveBytes)}`,
        `free space reaches ${megabytes(needBytes)}`,
        { needBytes },
      )
    }
    case 'right-missing':
      return new StuckError('rights', `${name} needs the right "${obstacle.right}", which the agent does not have.`)
    case 'software-missing': {
      const wanted = `${obstacle.name} ${obstacle.range ?? ''}`.trim()
      const text = `${name} needs ${wanted}, this device has ${obstacle.found ?? 'none'}`
      return obstacle.onMissing === 'wait'
        ? new WaitError('dependency', text, `${wanted} is installed`)
        : new StuckError('conflict', `${text}.`)
    }
    case 'conflict':
      return new StuckError(
        'conflict',
        `${name} must not stand beside ${obstacle.name} ${obstacle.range ?? ''}; this device has ${obstacle.found}.`,
      )
    default:
      return obstacle satisfies never
  }
}

/** Layers that are still to come and all files once more, with a little room for folders and names. */
function needSpace(world: World, plan: Plan, configs: readonly PackageConfig[]): void {
  const layers = plan.packages.flatMap((entry) => entry.layers).filter(({ digest }) => !world.store.has(hexOf(digest)))
  const files = configs.flatMap((config) => config.files)
  const bytes = [...layers, ...files].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const needBytes = bytes + 4096 * files.length + 1_000_000
  const freeBytes = Math.min(world.platform.freeBytes(world.root), world.platform.freeBytes(world.store.folder))
  if (freeBytes >= needBytes) return
  throw new WaitError(
    'disk',
    `Disk full, ${megabytes(needBytes)} needed, ${megabytes(freeBytes)} free`,
    `free space on ${world.root} reaches ${megabytes(needBytes)}`,
    { needBytes },
  )
}

function isPresent(
  world: World,
  job: Job,
  plan: Plan,
  configs: readonly PackageConfig[],
  manifest: ReleaseManifest,
): boolean {
  const known = world.journal.state.installed[installedKey(job.productLine, job.activation)]
  if (known?.manifestSha256 !== job.manifest.sha256 || known.counter !== manifest.counter) return false
  return plan.packages.every((entry, index) => {
    const installer = world.installers.get(entry.installer)
    const config = configs[index]
    if (entry.folder === null) return installer?.active(entry.name, job.activation) === null
    if (!installer || !config || entry.folder === null || entry.folderBefore !== entry.folder) return false
    return installer.inspect(entry.name, entry.folder, contentOf(config, entry.modules)).problems.length === 0
  })
}

/** Going back and removing need nothing from the network but the manifest that says which release is meant. */
function planReturn(world: World, job: Job, { manifest, by }: AuthorisedJob): JobEvent {
  const installed = world.journal.state.installed[installedKey(job.productLine, job.activation)]
  if (!installed)
    return { kind: 'ended', outcome: 'not-applicable', cause: `This device has nothing of ${job.productLine}.` }
  if (installed.release !== job.release) {
    return {
      kind: 'ended',
      outcome: 'not-applicable',
      cause: `This device has release ${installed.release}, not ${job.release}.`,
    }
  }
  const previous = job.action === 'back-out' ? installed.previous : null
  const before = previous?.packages ?? []
  const packages = [
    ...before.map((target): PlannedPackage => {
      const now = installed.packages.find(({ name }) => name === target.name)
      return {
        ...leaving(target),
        folder: target.folder,
        folderBefore: now?.folder ?? null,
        versionBefore: now?.version ?? null,
      }
    }),
    ...installed.packages
      .filter(({ name }) => !before.some((target) => target.name === name))
      .map((entry) => leaving(entry)),
  ]
  const plan: Plan = {
    packages,
    totalBytes: 0,
    verifyLevel: Math.max(job.custom.verifyLevel, manifest.verifyLevel),
    autoBackout: false,
    offlineInstall: manifest.offlineInstall,
    counter: previous?.counter ?? 0,
  }
  return { kind: 'planned', plan, authorisedBy: by }
}

export function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, '')
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
