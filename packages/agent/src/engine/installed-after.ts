import type { Installed, InstalledPackage } from '#/journal/state.ts'
import type { Job, PlannedPackage } from './job.ts'
import { installedKey, type World } from './world.ts'

/** What the product line has after a job ended: undefined when nothing changed, null when it has nothing any more. */
export function installedAfter(world: World, job: Job): Installed | null | undefined {
  if (job.step !== 'committed' || !job.plan) return undefined
  const before = world.journal.state.installed[installedKey(job.productLine, job.activation)]
  if (job.action === 'remove') return null
  if (job.action === 'back-out') return before?.previous ? returned(before, job, world.now()) : null
  return {
    productLine: job.productLine,
    activation: job.activation,
    release: job.release,
    counter: job.plan.counter,
    manifestSha256: job.manifest.sha256,
    packages: job.plan.packages.flatMap(installedPackage),
    ...(job.authorisedBy ? { authorisedBy: job.authorisedBy } : {}),
    previous: previousOf(before, job),
    since: world.now(),
  }
}

/** What came back was let through anew, by whoever signed that one may go back to it. */
function returned(before: Installed, { authorisedBy }: Job, since: string): Installed | null {
  const { productLine, activation, previous } = before
  const by = authorisedBy ? { authorisedBy } : {}
  return previous ? { ...previous, ...by, productLine, activation, previous: null, since } : null
}

/** Installing the same release again keeps what it had replaced. */
function previousOf(before: Installed | undefined, job: Job): Installed['previous'] {
  if (!before) return null
  if (before.manifestSha256 === job.manifest.sha256) return before.previous
  const { previous: _previous, productLine: _line, activation: _activation, ...kept } = before
  return kept
}

function installedPackage({
  name,
  version,
  index,
  variant,
  modules,
  installer,
  folder,
}: PlannedPackage): InstalledPackage[] {
  return folder === null ? [] : [{ name, version, index, variant, modules, installer, folder }]
}
