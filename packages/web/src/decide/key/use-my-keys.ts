import { useQuery } from '@tanstack/react-query'
import { browserKeys, type BrowserKey } from './browser-key.ts'
import { useRegisteredKeys, type MemberKey, type RegisteredKeys } from './use-registered-keys.ts'

export type { MemberKey }

export interface MyKeys extends RegisteredKeys {
  /** Those whose private half is in this browser. */
  here: readonly BrowserKey[]
}

export const browserKeysQuery = {
  queryKey: ['browser-keys'],
  queryFn: browserKeys,
  // Only this page adds to them, and then it says so.
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
} as const

/** The keys that the person registered, and what of them is in this browser. */
export function useMyKeys(): MyKeys {
  const registered = useRegisteredKeys()
  const here = useQuery({ ...browserKeysQuery, enabled: globalThis.isSecureContext })
  return { ...registered, here: here.data ?? [] }
}
