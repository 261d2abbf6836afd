import { join } from 'node:path'
import { openMember, type Member } from '#scripts/lib/member.ts'
import type { Api } from '#scripts/start/api.ts'
import { until } from '#scripts/start/until.ts'
import type { Bascule } from './bascule.ts'

/** Who signs in a journey: at a command line of her own, with a key that the server never sees. */
export interface Board {
  readonly member: Member
  readonly rootSha256: string
  /** Asks the board about a release and signs its Go, as the release manager and the member would. */
  letOut(releaseId: string): Promise<void>
  /** Signs the one case that waits, and waits until it is published. */
  signWhatWaits(): Promise<void>
}

/** A board of one over these product lines, with the paper recovery key that comes with it. */
export async function givenBoard(bascule: Bascule, api: Api, who: { readonly email: string }): Promise<Board> {
  const member = await openMember(join(bascule.dataFolder, '..', 'member'), bascule.url)
  const { items } = await api.get<{ items: { id: string }[] }>(`/estate/people?search=${encodeURIComponent(who.email)}`)
  const { url } = await api.post<{ url: string }>('/platform/sign-in-links', { personId: items[0]?.id })
  await member.run('sign-in', '--link', url)
  await member.run('key', 'make', '--label', 'board')
  await member.run('key', 'register')
  const { rootSha256 } = await member.run<{ rootSha256: string }>('trust', 'init', '--yes')
  const sign = async (caseId: string): Promise<void> => {
    await member.run('sign', caseId, '--yes')
    const isGo = async () => (await api.get<{ state: string }>(`/decide/cases/${caseId}`)).state === 'go'
    await until(`the Go of ${caseId} is published`, isGo)
  }
  return {
    member,
    rootSha256,
    async letOut(releaseId) {
      const asked = await api.post<{ caseId: string }>(`/releases/${releaseId}/ask-board`, { path: 'normal' })
      await sign(asked.caseId)
    },
    async signWhatWaits() {
      const { items: open } = await api.get<{ items: { id: string }[] }>('/decide/cases?state=open')
      for (const { id } of open) await sign(id)
    },
  }
}
