import { sql } from 'kysely'
import type { FeatureFactory, Services } from '#/platform/feature.ts'
import type { Notice } from '#/platform/events/bus.ts'
import { groupCommit } from '#/platform/lib/group-commit.ts'
import { registerDeviceApi } from './device-api/device-api.routes.ts'
import { createMetadataAsks } from './device-api/metadata-asks.ts'
import { recoverMetadata } from './device-api/recover-metadata.ts'
import { createReportLimit } from './device-api/report-limit.ts'
import { followSteps, type Standing } from './job/follow-steps.ts'
import { grantInstalls, type Ask, type Grant } from './job/grant-installs.ts'
import { offerJobs, type Offer, type Offered } from './job/offer-jobs.ts'
import { commitReports } from './receipt/commit-reports.ts'
import { readSyncStates, type ArrivedReport } from './receipt/report.store.ts'
import { createAudienceTrees } from './rollout/audience-trees.ts'
import { countSilentOf } from './rollout/count-silent.ts'
import { createLateJoiners, joinLate } from './rollout/late-joiners.ts'
import { rolloutReconciler, type CountSilent } from './rollout/rollout.reconciler.ts'
import { createRunningRollouts, type RunningRollouts } from './rollout/running-rollouts.ts'

declare module '#/platform/feature.ts' {
  interface Services {
    countSilent: CountSilent
  }
}

/** Rollouts, their phases and jobs, and the routes of devices. */
export const deliverFeature: FeatureFactory = (services) => {
  const { db, fleet, now, signer } = services
  const running = createRunningRollouts(db)
  services.countSilent = countSilentOf({ db, fleet, running })
  const assignments = { db, signer, audienceTrees: createAudienceTrees(db) }
  const offers = groupCommit<Offer, Offered>(async (items) => await offerJobs(assignments, items, now()), 250)
  const grants = groupCommit<Ask, Grant>(async (items) => {
    const at = now()
    const isQuiet = (index: number) => fleet.isSilent(index, at.epochMilliseconds) || fleet.isGone(index)
    return await grantInstalls(db, items, at, isQuiet)
  })
  const standings = groupCommit<Standing, void>(async (items) => {
    await followSteps(db, items, now())
    return items.map(() => undefined)
  })
  const reports = groupCommit<readonly ArrivedReport[], void>(async (items) => {
    await commitReports(db, items.flat(), now())
    return items.map(() => undefined)
  })
  return {
    routes(app) {
      registerDeviceApi(app, {
        db,
        fleet,
        running,
        offers,
        grants,
        standings,
        reports,
        now,
        reportLimit: createReportLimit(),
        meter: services.meter,
        saveFacts: async (device, facts, hash, agentVersion) => {
          await fleet.saveFacts(device, facts, hash, agentVersion)
          await joinLate(db, running, device, now())
        },
        epoch: services.epoch,
        metadataVersion: () => services.repository.timestampVersion,
        metadataAsks: createMetadataAsks(),
        recoverMetadata: async (files) => await recoverMetadata(services, files),
        sources: services.config.blobSources,
        idleSeconds: services.config.checkInSeconds,
        busySeconds: Math.min(services.config.checkInSeconds, services.config.busyCheckInSeconds),
      })
    },
    reconcilers: { rollout: rolloutReconciler({ db, countSilent: services.countSilent }) },
    async start() {
      await running.load()
      for (const one of await readSyncStates(db)) {
        fleet.setGeneration(one.device_id, one.generation)
        fleet.raiseReportHigh(one.device_id, one.report_high)
        running.setExpiry(one.device_id, one.expires_at?.epochMilliseconds ?? null)
      }
      await wakeRollouts(services)
      const late = createLateJoiners({ db, fleet, running, now, log: services.log })
      late.look('all')
      const stop = services.bus.listen((notice) => {
        void follow(services, running, notice, () => late.look('all'))
        const moved = movedBy(notice)
        if (moved.length > 0) late.look(moved)
      })
      return {
        async [Symbol.asyncDispose]() {
          stop()
          await Promise.all([offers.idle(), grants.idle(), standings.idle(), reports.idle(), late.idle()])
        },
      }
    },
  }
}

/** Whose place may have changed. A site or an org unit that is called something else may concern any device. */
function movedBy(notice: Notice): readonly string[] | 'all' {
  if (notice === 'missed') return 'all'
  const isWide = ({ entity, id }: Exclude<Notice, 'missed'>[number]) =>
    entity === 'site' || entity === 'org-unit' || (entity === 'device' && id === '*')
  if (notice.some(isWide)) return 'all'
  return notice.filter((change) => change.entity === 'device').map((change) => change.id)
}

/** After a start every rollout is looked at once: what was decided before a crash may not have been carried out. */
async function wakeRollouts({ db, now }: Services): Promise<void> {
  await sql`
    insert into timer (kind, key, due_at) select 'rollout', id::text, ${now().toString()}::timestamptz
    from rollout where state in ('running', 'backing-out')
    on conflict (kind, key) do update set due_at = least(timer.due_at, excluded.due_at), rev = timer.rev + 1`.execute(
    db,
  )
}

/**
 * Keeps the copy in memory true: what changed is read again, and everything is when a notice may have been missed. Says
 * when a rollout takes late joiners from now on: a device may have been moved while it started, and nobody looked then.
 */
async function follow(
  services: Pick<Services, 'log'>,
  running: RunningRollouts,
  notice: Notice,
  opened: () => void,
): Promise<void> {
  const before = new Set(running.openRolloutIds())
  try {
    await (notice === 'missed' ? running.load() : readChanged(running, notice))
    if (running.openRolloutIds().some((id) => !before.has(id))) opened()
  } catch (cause) {
    services.log.error({ err: cause }, 'running rollouts could not be read again; trying once more')
    setTimeout(() => void follow(services, running, 'missed', opened), readAgainAfterMs).unref()
  }
}

const readAgainAfterMs = 1000

async function readChanged(running: RunningRollouts, changes: Exclude<Notice, 'missed'>): Promise<void> {
  const relevant = changes.filter((change) => change.entity === 'rollout' || change.entity === 'phase')
  if (relevant.length === 0) return
  if (relevant.some((change) => change.id === '*')) return await running.load()
  for (const id of new Set(relevant.map((change) => Number(change.id.split('/', 1)[0])))) await running.reload(id)
  if (relevant.some((change) => change.entity === 'rollout')) await running.reloadStale()
}
