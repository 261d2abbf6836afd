import { PackageConfig } from '@bascule/contract/estate/oci.ts'
import { expectedLayer } from '@bascule/content/oci/check-package.ts'
import type { Installer, VersionContent, VersionRecord } from '#/installers/installer.ts'
import { fetchBlob } from '#/store/fetch-blob.ts'
import { checkPackages, deliveryResults, type CheckAnswer, type CheckedPackage } from '#/verify/check-packages.ts'
import { authoriseAgain } from './authorise-job.ts'
import { StuckError } from './failure.ts'
import type { Job, Plan, PlannedPackage } from './job.ts'
import { contentOf } from './package-content.ts'
import { hexOf, planJob } from './plan-job.ts'
import { fetchOptions } from './read-json-blob.ts'
import type { Effect, JobEvent } from './reduce.ts'
import type { World } from './world.ts'

/** Carries out one effect of a job and tells what came of it. May be interrupted anywhere and run again. */
export async function runEffect(
  world: World,
  job: Job,
  effect: Exclude<Effect, 'ask' | null>,
  note: (text: string) => void,
): Promise<JobEvent> {
  if (effect === 'plan') return await planJob(world, job, note)
  const plan = planned(job)
  switch (effect) {
    case 'fetch':
      return await fetchAll(world, job, plan, note)
    case 'stage':
      return await stageAll(world, job, plan)
    case 'install':
      return await install(world, job)
    case 'switch':
      return switchAll(world, job, plan)
    case 'check':
      return await check(world, job, plan)
    case 'restore':
      return await restore(world, job, plan)
    default:
      return effect satisfies never
  }
}

function planned(job: Job): Plan {
  if (!job.plan) throw new StuckError('unknown-state', `Job ${job.id} is in step ${job.step} without a plan.`)
  return job.plan
}

async function fetchAll(world: World, job: Job, plan: Plan, note: (text: string) => void): Promise<JobEvent> {
  let doneBytes = 0
  for (const layer of plan.packages.flatMap((entry) => entry.layers)) {
    const progress = (bytes: number): void => {
      world.progress.set(job.id, { downloadedBytes: doneBytes + bytes, totalBytes: plan.totalBytes })
    }
    const want = { hex: hexOf(layer.digest), sizeBytes: layer.sizeBytes }
    await fetchBlob(want, fetchOptions(world, note, progress))
    doneBytes += layer.sizeBytes
  }
  return { kind: 'fetched' }
}

async function stageAll(world: World, job: Job, plan: Plan): Promise<JobEvent> {
  for (const entry of plan.packages) {
    if (entry.folder === null || job.action !== 'install') continue
    const installer = installerOf(world, entry)
    const config = configOf(world, entry)
    const content = contentOf(config, entry.modules)
    const layers = config.layers
      .filter((layer) => entry.modules.includes(layer.module))
      .map((layer) => ({ path: world.store.pathOf(hexOf(layer.digest)), expected: expectedLayer(config, layer) }))
    await installer.stage({
      package: entry.name,
      folder: entry.folder,
      layers,
      record: recordOf(world, job, plan, entry, content),
    })
    const { problems } = installer.inspect(entry.name, entry.folder, content)
    if (problems.length > 0)
      throw new StuckError('storage', `${entry.name} was staged and read back differently: ${problems[0]}`)
  }
  return { kind: 'staged' }
}

function recordOf(world: World, job: Job, plan: Plan, entry: PlannedPackage, content: VersionContent): VersionRecord {
  const { release, productLine, generation } = job
  return {
    format: 1,
    package: entry.name,
    version: entry.version,
    index: entry.index,
    variant: entry.variant,
    modules: entry.modules,
    installer: entry.installer,
    productLine,
    release,
    counter: plan.counter,
    manifestSha256: job.manifest.sha256,
    generation,
    ...(job.path === undefined ? {} : { path: job.path }),
    ...(job.authorisedBy ? { authorisedBy: job.authorisedBy } : {}),
    stagedAt: world.now(),
    ...content,
  }
}

/** The last look at the permit; files of a tree are in place already, so there is nothing else to do here. */
async function install(world: World, job: Job): Promise<JobEvent> {
  const { by } = await authoriseAgain(world, job)
  world.permitted.add(job.id)
  return { kind: 'installed', authorisedBy: by }
}

/**
 * A device may have been off for a year since it was permitted, and a member may have stopped the release since. What is
 * half switched is brought to its end: it was permitted, and half of two versions is neither.
 */
function switchAll(world: World, job: Job, plan: Plan): JobEvent {
  if (!world.permitted.has(job.id) && isUntouched(world, job, plan)) return { kind: 'permit-lapsed' }
  for (const entry of plan.packages) installerOf(world, entry).activate(entry.name, job.activation, entry.folder)
  return { kind: 'switched' }
}

function isUntouched(world: World, job: Job, plan: Plan): boolean {
  return plan.packages.every(
    (entry) => installerOf(world, entry).active(entry.name, job.activation) === entry.folderBefore,
  )
}

async function check(world: World, job: Job, plan: Plan): Promise<JobEvent> {
  const packages = plan.packages.flatMap((entry) => checkedPackage(world, job, entry, entry.folder))
  const left = plan.packages.filter((entry) => entry.folder === null && isActive(world, job, entry))
  const { verification, failure } = await ask(world, job, plan, packages)
  const blobs = plan.packages.flatMap((entry) => entry.layers).length
  const all = [...deliveryResults(blobs, plan.totalBytes, job.authorisedBy), ...verification]
  if (left.length > 0) return { kind: 'check-failed', verification: all, cause: `${left[0]?.name} is still active` }
  if (failure !== null) return { kind: 'check-failed', verification: all, cause: failure }
  return { kind: 'checked', verification: all }
}

function isActive(world: World, job: Job, entry: PlannedPackage): boolean {
  return installerOf(world, entry).active(entry.name, job.activation) !== null
}

/** Back to what was active before. The result is checked like an install: going back to something broken is not going back. */
async function restore(world: World, job: Job, plan: Plan): Promise<JobEvent> {
  for (const entry of plan.packages.toReversed()) {
    installerOf(world, entry).activate(entry.name, job.activation, entry.folderBefore)
  }
  const packages = plan.packages.flatMap((entry) => checkedPackage(world, job, entry, entry.folderBefore))
  // Files only: whether the old version is healthy was decided when it was installed, and it is all there is.
  const { verification, failure } = await ask(
    world,
    job,
    { ...plan, verifyLevel: Math.min(3, plan.verifyLevel) },
    packages,
  )
  if (failure !== null) {
    return {
      kind: 'restore-failed',
      detail: `${job.cause ?? 'The new version failed'}; going back failed too: ${failure}`,
    }
  }
  const asked = verification.filter(({ result }) => result !== 'not-asked')
  return {
    kind: 'restored',
    verification: asked.map((result) => ({ ...result, detail: `After going back: ${result.detail}` })),
  }
}

async function ask(world: World, job: Job, plan: Plan, packages: readonly CheckedPackage[]): Promise<CheckAnswer> {
  return await checkPackages({
    packages,
    level: plan.verifyLevel,
    group: `${world.instance}-${job.id}`,
    platform: world.platform,
    signal: world.signal,
  })
}

/** What to check a version against: the signed recipe for what is new, the record beside it for what was there before. */
export function checkedPackage(world: World, job: Job, entry: PlannedPackage, folder: string | null): CheckedPackage[] {
  if (folder === null) return []
  const installer = installerOf(world, entry)
  const isNew = folder === entry.folder && entry.configDigest !== ''
  const record = isNew ? null : installer.record(entry.name, folder)
  const content = isNew ? contentOf(configOf(world, entry), entry.modules) : record
  if (!content) throw new StuckError('storage', `${entry.name}: the record of ${folder} cannot be read.`)
  const version = record?.version ?? entry.version
  return [{ name: entry.name, version, folder, activation: job.activation, installer, content }]
}

function installerOf(world: World, entry: PlannedPackage): Installer {
  const installer = world.installers.get(entry.installer)
  if (!installer)
    throw new StuckError(
      'installer',
      `${entry.name} needs the installer "${entry.installer}", which this agent does not have.`,
    )
  return installer
}

/** The recipe was fetched while planning; when it rotted since, the job plans anew after a person looked. */
function configOf(world: World, entry: PlannedPackage): PackageConfig {
  const bytes = world.store.read(hexOf(entry.configDigest))
  if (!bytes) throw new StuckError('storage', `The recipe of ${entry.name} is not readable on this disk any more.`)
  return PackageConfig.parse(JSON.parse(bytes.toString('utf8')))
}
