import { useQuery } from '@tanstack/react-query'
import { orpc } from '#/api/client.ts'

export interface Options {
  options: { value: string; label: string }[]
  nameOf: (id: string | null) => string
}

/** As many as a list offers at once; a larger estate is searched by name on the server. */
const optionsMax = 500

export function useSiteOptions(): Options {
  return optionsFrom(useQuery(orpc.estate.site.list.queryOptions({ input: { limit: optionsMax } })).data?.items)
}

export function useOrgUnitOptions(): Options {
  return optionsFrom(useQuery(orpc.estate.orgUnit.list.queryOptions({ input: { limit: optionsMax } })).data?.items)
}

export function usePersonOptions(): Options {
  return optionsFrom(useQuery(orpc.estate.person.list.queryOptions({ input: { limit: optionsMax } })).data?.items)
}

function optionsFrom(items: readonly { id: string; name: string }[] | undefined): Options {
  const options = (items ?? []).map((item) => ({ value: item.id, label: item.name }))
  return { options, nameOf: (id) => options.find((option) => option.value === id)?.label ?? '' }
}
