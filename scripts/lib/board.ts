import type { Api } from '../start/api.ts'
import { until } from '../start/until.ts'
import { type Member, openMember } from './member.ts'

/** A board of one: somebody who signs at a command line of her own, with a key that the server never sees. */
export interface Board {
  readonly member: Member
  readonly rootSha256: string
  /** Asks the board about a release; answers its case, frozen and ready to be signed. */
  ask(releaseId: string): Promise<string>
  /** Signs a case and waits until its Go is published. */
  sign(caseId: string): Promise<void>
  /** Asks the board about a release and signs its Go, as the release manager and the member would. */
  letOut(releaseId: string): Promise<void>
}

/**
 * Makes a board of this person over all product lines that there are, with the paper recovery key that comes with it.
 * `home` is where the member keeps her keys.
 */
export async function foundBoard(home: string, api: Api, email: string): Promise<Board> {
  const member = await openMember(home, api.url)
  const { items } = await api.get<{ items: { id: string }[] }>(`/estate/people?search=${encodeURIComponent(email)}`)
  const { url } = await api.post<{ url: string }>('/platform/sign-in-links', { personId: items[0]?.id })
  await member.run('sign-in', '--link', url)
  await member.run('key', 'make', '--label', 'board')
  await member.run('key', 'register')
  const { rootSha256 } = await member.run<{ rootSha256: string }>('trust', 'init', '--yes')
  const ask: Board['ask'] = async (releaseId) => {
    const { caseId } = await api.post<{ caseId: string }>(`/releases/${releaseId}/ask-board`, { path: 'normal' })
    return caseId
  }
  const sign: Board['sign'] = async (caseId) => {
    await member.run('sign', caseId, '--yes')
    const isGo = async () => (await api.get<{ state: string }>(`/decide/cases/${caseId}`)).state === 'go'
    await until(`the Go of ${caseId} is published`, isGo)
  }
  return { member, rootSha256, ask, sign, letOut: async (releaseId) => await sign(await ask(releaseId)) }
}
