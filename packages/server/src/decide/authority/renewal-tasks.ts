import type { RenewalTask } from '@bascule/contract/decide/authority.ts'
import type { AuthorityRole } from '@bascule/contract/decide/signing.ts'
import { unreachable } from '@bascule/domain/lib/result.ts'
import { lifetimes } from '@bascule/trust/tuf/lifetimes.ts'
import type * as z from 'zod'

/** What people have to sign soon, the most urgent first. What the signer renews by itself is no task. */
export function renewalTasks(roles: readonly AuthorityRole[]): z.infer<typeof RenewalTask>[] {
  return roles
    .flatMap((role) => {
      const { state, expiresAt } = role
      if (state === 'effective' || expiresAt === null || lifetimes[role.kind].renewedBy === 'signer') return []
      const isOverdue = state === 'expired'
      return [{ role: role.role, expiresAt, isOverdue, text: textOf(role, expiresAt, isOverdue) }]
    })
    .toSorted((a, b) => Date.parse(a.expiresAt) - Date.parse(b.expiresAt))
}

function textOf(role: AuthorityRole, expiresAt: string, isOverdue: boolean): string {
  const { threshold, members } = role
  const who = `${threshold} of ${members.length} ${peopleOf(role)}`
  const day = expiresAt.slice(0, 10)
  return isOverdue
    ? `${role.role} ended on ${day}. ${consequenceOf(role, 'now')} ${who} have to sign it anew.`
    : `${role.role} ends on ${day}. Until then ${who} have to sign it anew. ${consequenceOf(role, 'then')}`
}

function peopleOf({ kind }: AuthorityRole): string {
  return kind === 'root' || kind === 'targets' ? 'custodians' : 'members'
}

function consequenceOf({ kind, productLine, releases }: AuthorityRole, when: 'now' | 'then'): string {
  const begin = when === 'now' ? 'Since then' : 'After that'
  switch (kind) {
    case 'line':
      return `${begin} no device installs anything of ${productLine ?? 'the line'}; what is installed stays.`
    case 'emergency':
      return releases.length > 0
        ? `${begin} nobody installs ${releases.join(', ')} unless the full board has ratified it.`
        : `${begin} nothing can be let out as an emergency.`
    case 'root':
    case 'targets':
    case 'board':
    case 'stop':
    case 'director':
    case 'snapshot':
    case 'timestamp':
      return `${begin} no device installs anything; what is installed stays.`
    default:
      return unreachable(kind)
  }
}
