import { useQuery } from '@tanstack/react-query'
import { orpc, type Client } from '#/api/client.ts'
import { useCan, useSession } from '#/api/session.ts'

export type MemberKey = Awaited<ReturnType<Client['decide']['memberKey']['list']>>['items'][number]

export interface RegisteredKeys {
  keys: readonly MemberKey[]
  error: Error | null
  isPending: boolean
}

/** The keys that the person registered and uses still. The shell asks for them too, so nothing heavy belongs here. */
export function useRegisteredKeys(): RegisteredKeys {
  const person = useSession()?.person?.id
  const canRead = useCan('board.read')
  const list = useQuery({ ...orpc.decide.memberKey.list.queryOptions(), enabled: canRead && person !== undefined })
  return {
    keys: (list.data?.items ?? []).filter((key) => key.personId === person && key.retiredAt === null),
    error: list.error,
    isPending: list.isPending && canRead,
  }
}
