import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { audienceOf, phasesOf, type PlanDraft } from './release-plan.ts'
import { orpc, type Client } from '#/api/client.ts'

export interface AudienceCountState {
  preview: Awaited<ReturnType<Client['plan']['release']['preview']>> | undefined
  error: Error | null
  isCounting: boolean
}

const typingMs = 400

/** How many devices the plan would reach now; counted when the person stops typing. */
export function useAudienceCount(draft: PlanDraft): AudienceCountState {
  const wanted = JSON.stringify({ audience: audienceOf(draft), phases: namedPhases(draft) })
  const [settled] = useDebouncedValue(wanted, typingMs)
  const count = useQuery({
    ...orpc.plan.release.preview.queryOptions({
      input: JSON.parse(settled) as Parameters<Client['plan']['release']['preview']>[0],
    }),
    placeholderData: keepPreviousData,
  })
  return { preview: count.data, error: count.error, isCounting: count.isFetching || settled !== wanted }
}

/** A phase still without a name can be counted all the same. */
function namedPhases(draft: PlanDraft) {
  return phasesOf(draft).map((phase, index) => ({
    ...phase,
    name: phase.name === '' ? `Phase ${index + 1}` : phase.name,
  }))
}
