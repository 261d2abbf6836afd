import { useQuery } from '@tanstack/react-query'
import { orpc } from '#/api/client.ts'

export interface Options {
  options: { value: string; label: string }[]
  nameOf: (id: string | null) => string
}

/** As many as a list offers at once; a larger estate is searched by name on the server. */
const optionsMax = 500
const input = { limit: optionsMax }

export function useSiteOptions(enabled = true): Options {
  return optionsFrom(useQuery({ ...orpc.estate.site.list.queryOptions({ input }), enabled }).data?.items)
}

export function useOrgUnitOptions(enabled = true): Options {
  return optionsFrom(useQuery({ ...orpc.estate.orgUnit.list.queryOptions({ input }), enabled }).data?.items)
}

export function usePersonOptions(enabled = true): Options {
  return optionsFrom(useQuery({ ...orpc.estate.person.list.queryOptions({ input }), enabled }).data?.items)
}

function optionsFrom(items: readonly { id: string; name: string }[] | undefined): Options {
  const options = (items ?? []).map((item) => ({ value: item.id, label: item.name }))
  return { options, nameOf: (id) => options.find((option) => option.value === id)?.label ?? '' }
}
