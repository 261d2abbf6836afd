import { useQuery } from '@tanstack/react-query'

export interface SignPage {
  /** Where the page lives; null where this server has no name for it. */
  url: string | null
  /** The number of its build, to be compared with the published one. */
  sha256: string
}

/** Where the signing page is and which build. Asked for before it is needed: a window opens only at a click. */
export function useSignPage(): SignPage | undefined {
  return useQuery({
    queryKey: ['sign-page'],
    queryFn: async ({ signal }) => {
      const response = await fetch('/sign-build.json', { signal })
      if (!response.ok) throw new Error(`Asking for the signing page: the server answered ${response.status}`)
      return (await response.json()) as SignPage
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  }).data
}

export const noSignPage =
  'The signing page needs a name of its own, and this server is reached by a number. Open it by its name, or sign with the bascule command line.'
