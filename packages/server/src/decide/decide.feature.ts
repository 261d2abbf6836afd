import { sql } from 'kysely'
import type { Notice } from '#/platform/events/bus.ts'
import type { FeatureFactory, Services } from '#/platform/feature.ts'
import { openSignedRepository } from './authority/signed-repository.ts'
import { registerTufRoutes } from './authority/tuf.routes.ts'
import { caseReconciler } from './case/case.reconciler.ts'
import { caseTimer } from './case/case.store.ts'
import { draftReconciler } from './draft/draft.reconciler.ts'
import { draftTimer } from './draft/draft-queue.ts'

/** Boards, their cases and drafts, and the signed files that devices fetch. */
export const decideFeature: FeatureFactory = (services) => {
  const { db, signer, log } = services
  const repository = openSignedRepository(signer, log)
  services.repository = repository
  return {
    routes(app) {
      registerTufRoutes(app, repository)
    },
    reconcilers: {
      [draftTimer]: draftReconciler({ db, signer, repository }),
      [caseTimer]: caseReconciler({ db, repository, blobs: services.blobs }),
    },
    async start() {
      repository.keepFresh()
      await wakeDrafts(services)
      const stop = services.bus.listen((notice) => {
        if (isPublication(notice)) repository.keepFresh()
      })
      return {
        async [Symbol.asyncDispose]() {
          stop()
          await repository[Symbol.asyncDispose]()
        },
      }
    },
  }
}

/** Another server may have published: what it tells everybody is a reason to ask the signer now. */
function isPublication(notice: Notice): boolean {
  return notice === 'missed' || notice.some(({ entity }) => entity === 'authority')
}

/** After a start every draft is looked at once: what the signer has published may not have been written down. */
async function wakeDrafts({ db, now }: Services): Promise<void> {
  await sql`
    insert into timer (kind, key, due_at) select ${draftTimer}, id::text, ${now().toString()}::timestamptz
    from draft where state = 'signing'
    on conflict (kind, key) do update set due_at = least(timer.due_at, excluded.due_at), rev = timer.rev + 1`.execute(
    db,
  )
}
