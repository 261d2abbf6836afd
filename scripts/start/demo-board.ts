import { join } from 'node:path'
import { type Member, type MemberKey, openMember } from '../lib/member.ts'
import type { Api } from './api.ts'
import { demoFolder } from './demo-state.ts'
import { boardCode, boardMembers, productLine } from './demo-story.ts'
import { until } from './until.ts'

interface DraftSeen {
  readonly id: string
  readonly kind: string
  readonly state: string
}

/**
 * The demo's board: three people with a key each, two of whom decide. Every signature is made by the command line with a
 * key that the server never sees, as in a real installation; only that all three homes lie on one machine is the demo's.
 * Safe to run again after it was cut off anywhere.
 */
export async function ensureBoard(api: Api, dataFolder: string): Promise<void> {
  if (await isSetUp(api)) return
  const members = await Promise.all(boardMembers.map((email) => ensureMember(api, dataFolder, email)))
  const draft = (await waitingCeremony(api)) ?? (await holdCeremony(members))
  for (const { member } of members.slice(0, 2)) await signOnce(member, draft.id)
  await until('the first ceremony is published', () => isSetUp(api))
}

/** Two of the three sign the Go of a release. */
export async function signGo(api: Api, dataFolder: string, caseId: string): Promise<void> {
  for (const email of boardMembers.slice(0, 2)) {
    const { member } = await ensureMember(api, dataFolder, email)
    await signOnce(member, caseId)
  }
  await until(
    `${caseId} is a Go`,
    async () => (await api.get<{ state: string }>(`/decide/cases/${caseId}`)).state === 'go',
  )
}

interface DemoMember {
  readonly member: Member
  readonly name: string
  readonly key: MemberKey
}

async function ensureMember(api: Api, dataFolder: string, email: string): Promise<DemoMember> {
  const member = await openMember(homeOf(dataFolder, email), api.url)
  const { items } = await api.get<{ items: { id: string; name: string }[] }>(
    `/estate/people?search=${encodeURIComponent(email)}`,
  )
  const [person] = items
  if (person === undefined) throw new Error(`The demo has lost ${email}.`)
  const { url } = await api.post<{ url: string }>('/platform/sign-in-links', { personId: person.id })
  await member.run('sign-in', '--link', url)
  const known = await member.run<{ items: MemberKey[] }>('key', 'show')
  const key = known.items[0] ?? (await member.run<MemberKey>('key', 'make', '--label', person.name))
  await member.run('key', 'register')
  return { member, name: person.name, key }
}

async function holdCeremony(members: readonly DemoMember[]): Promise<DraftSeen> {
  const named = members.map(({ name, key }) => `${name.replaceAll(' ', '-')}=${key.publicKey}`)
  const [first] = members
  if (first === undefined) throw new Error('The demo has no board members.')
  const { draft } = await first.member.run<{ draft: DraftSeen }>(
    'trust',
    'init',
    '--board',
    boardCode,
    '--line',
    productLine.code,
    ...named.flatMap((one) => ['--custodian', one]),
    ...named.flatMap((one) => ['--member', one]),
    '--threshold',
    '2',
    '--quorum',
    '2',
    '--yes',
  )
  return draft
}

async function waitingCeremony(api: Api): Promise<DraftSeen | undefined> {
  const { items } = await api.get<{ items: DraftSeen[] }>('/decide/drafts?state=signing')
  return items.find(({ kind }) => kind === 'ceremony')
}

/** After a cut the key may have signed already; the tool then says so, and that is as good as done. */
async function signOnce(member: Member, what: string): Promise<void> {
  try {
    await member.run('sign', what, '--yes')
  } catch (cause) {
    if (!String(cause).includes('key-may-sign')) throw cause
  }
}

async function isSetUp(api: Api): Promise<boolean> {
  return (await api.get<{ isSetUp: boolean }>('/decide/authority')).isSetUp
}

function homeOf(dataFolder: string, email: string): string {
  return join(demoFolder(dataFolder), 'members', email.split('@')[0] ?? email)
}
