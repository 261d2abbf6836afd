import type { Feature, Services } from '#/platform/feature.ts'
import { createOutboxReconciler, outboxReconciler } from './outbox.ts'

/** Delivers letters. The sink `log` is always there; others are put into `services.sinks` by who knows them. */
export function outboxFeature({ db, sinks, log }: Services): Feature {
  sinks.set('log', async ({ id, topic }) => {
    log.info({ letter: id, topic }, 'letter')
    await Promise.resolve()
  })
  return { reconcilers: { [outboxReconciler]: createOutboxReconciler(db, sinks) } }
}
