import type { Permission } from '@bascule/domain/estate/permission.ts'
import { ORPCError } from '@orpc/client'
import { queryOptions, useSuspenseQuery } from '@tanstack/react-query'
import { client, orpc, type Client } from './client.ts'

export type Session = Awaited<ReturnType<Client['platform']['session']['me']>>

const authPath = '/api/auth'

/** Who is signed in on this browser and what they may do, or null. */
export const sessionQuery = queryOptions({
  // Under the key of its route, because a role that is given or taken makes it old.
  queryKey: orpc.platform.session.key(),
  staleTime: 60_000,
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return await client.platform.session.me(undefined, { signal })
    } catch (error) {
      if (error instanceof ORPCError && error.status === 401) return null
      throw error
    }
  },
})

export function useSession(): Session | null {
  return useSuspenseQuery(sessionQuery).data
}

/** Whether the person may do this somewhere; the server narrows it to the place. */
export function useCan(permission: Permission): boolean {
  const session = useSession()
  return (session?.permissions as readonly string[] | undefined)?.includes(permission) ?? false
}

export type SignInOutcome = { ok: true } | { ok: false; reason: string }

export async function signIn(email: string, password: string): Promise<SignInOutcome> {
  let answer: Response
  try {
    answer = await post('/sign-in/email', { email, password })
  } catch {
    // The browser says nothing useful about why it could not connect.
    return { ok: false, reason: 'The server could not be reached. Check the connection, then try again.' }
  }
  if (answer.ok) return { ok: true }
  if (answer.status === 401) return { ok: false, reason: 'No account has this e-mail address and password.' }
  if (answer.status === 429) return { ok: false, reason: 'Too many attempts. Wait a minute, then try again.' }
  return { ok: false, reason: `The server answered ${answer.status}. Try again.` }
}

export async function signOut(): Promise<void> {
  await post('/sign-out', {})
}

function post(path: string, body: unknown): Promise<Response> {
  return fetch(`${authPath}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  })
}
