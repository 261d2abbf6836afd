import { ORPCError } from '@orpc/client'
import { QueryClient } from '@tanstack/react-query'
import type { LiveEvent } from './live.ts'
import { orpc } from './client.ts'
import { makeOld } from './make-old.ts'

const retriesMax = 2

/** Refusals do not get better by asking again; only what never reached the server is tried anew. */
function shouldRetry(count: number, error: Error): boolean {
  return !(error instanceof ORPCError) && count < retriesMax
}

export const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: 30_000, retry: shouldRetry, refetchOnWindowFocus: false } },
})

type Keys = readonly (readonly unknown[])[]

/** Which answers become old when a thing of this kind changes. A kind that is not here is on no page yet. */
const touchedBy: Readonly<Record<string, () => Keys>> = {
  release: () => [orpc.plan.release.key(), orpc.plan.pinnedRelease.key(), orpc.deliver.rollout.key()],
  rollout: () => [
    orpc.deliver.rollout.key(),
    orpc.plan.release.key(),
    orpc.plan.pinnedRelease.key(),
    orpc.deliver.job.key(),
  ],
  phase: () => [orpc.deliver.rollout.key(), orpc.plan.release.key()],
  // Devices moved within a phase: what counts them and what lists them, also what they run.
  'rollout-progress': () => [
    orpc.deliver.rollout.key(),
    orpc.plan.release.key(),
    orpc.deliver.job.key(),
    orpc.deliver.receipt.key(),
    orpc.estate.device.key(),
    orpc.views.fleet.key(),
    orpc.estate.configuration.key(),
  ],
  device: () => [orpc.estate.device.key(), orpc.views.fleet.key(), orpc.plan.release.preview.key()],
  'enrolment-token': () => [orpc.estate.enrolmentToken.key()],
  job: () => [orpc.deliver.rollout.key(), orpc.deliver.job.key(), orpc.plan.release.key()],
  receipt: () => [orpc.deliver.receipt.key(), orpc.deliver.job.key()],
  'package-version': () => [orpc.estate.library.key()],
  package: () => [orpc.estate.library.key()],
  'product-line': () => [orpc.estate.productLine.key()],
  person: () => [orpc.estate.person.key()],
  'org-unit': () => [orpc.estate.orgUnit.key()],
  site: () => [orpc.estate.site.key()],
  absence: () => [orpc.estate.absence.key()],
  role: () => [orpc.estate.role.key(), orpc.platform.session.key()],
  'role-grant': () => [orpc.estate.role.key(), orpc.platform.session.key()],
  service: () => [orpc.estate.service.key(), orpc.estate.configuration.key()],
  'pinned-release': () => [orpc.plan.pinnedRelease.key()],
  'saved-view': () => [orpc.estate.savedView.key()],
  audience: () => [orpc.estate.audience.key()],
  baseline: () => [orpc.estate.configuration.key()],
  'api-key': () => [orpc.platform.apiKey.key()],
  case: () => [orpc.decide.case.key(), orpc.decide.board.key(), orpc.plan.release.key()],
  draft: () => [orpc.decide.draft.key(), orpc.decide.case.key(), orpc.decide.board.key()],
  'member-key': () => [orpc.decide.memberKey.key(), orpc.decide.board.key(), orpc.decide.case.key()],
  // What was published: who may decide, and what devices may do now.
  authority: () => [orpc.decide.key(), orpc.plan.release.key(), orpc.estate.device.key()],
}

/** Marks what changed as old; pages that show it ask again, others when they are opened. */
export function invalidateChanged(events: readonly LiveEvent[]): void {
  if (events.some((event) => event.entity === '*')) {
    makeOld(queryClient, [])
    return
  }
  const kinds = new Set(events.map((event) => event.entity))
  for (const kind of kinds) {
    for (const queryKey of touchedBy[kind]?.() ?? []) makeOld(queryClient, queryKey)
  }
  // Every change is also a fact of the ledger.
  makeOld(queryClient, orpc.platform.ledger.key())
}
