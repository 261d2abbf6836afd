import type { Client } from '#/api/client.ts'
import type { MemberKey } from '../key/use-registered-keys.ts'
import { countOf } from '#/ui/format.ts'

export type Board = Awaited<ReturnType<Client['decide']['board']['list']>>['items'][number]
export type Role = Board['roles'][number]

export interface BoardMember {
  keyId: string
  name: string
  level: number | null
  /** Roles of the board that count this key. */
  roles: string[]
}

/** Everybody who decides something in this board, once per key. */
export function membersOf({ roles }: Pick<Board, 'roles'>): BoardMember[] {
  const members = new Map<string, BoardMember>()
  for (const { role, members: keys } of roles) {
    for (const { keyId, name, level } of keys) {
      const known = members.get(keyId)
      if (known === undefined) members.set(keyId, { keyId, name, level, roles: [role] })
      else members.set(keyId, { ...known, level: known.level ?? level, roles: [...known.roles, role] })
    }
  }
  return [...members.values()].toSorted((a, b) => a.name.localeCompare(b.name) || a.keyId.localeCompare(b.keyId))
}

/** "2 of 3". */
export function quorumText({ threshold, members }: Pick<Role, 'threshold' | 'members'>): string {
  return `${threshold} of ${members.length}`
}

/** What a role decides, in the words of its board. */
export function roleWords({ kind, productLine, board }: Pick<Role, 'kind' | 'productLine' | 'board'>): string {
  switch (kind) {
    case 'board':
      return 'Who decides here'
    case 'line':
      return `Releases of ${productLine ?? board ?? 'its line'}`
    case 'emergency':
      return 'Emergencies, for 14 days'
    case 'stop':
      return 'Stops'
    case 'root':
      return 'Anchor of every device'
    case 'targets':
      return 'Which boards there are'
    case 'snapshot':
      return 'Which versions are newest'
    case 'timestamp':
      return 'That nothing is withheld'
    case 'director':
      return 'Which device gets which release'
    default:
      return kind
  }
}

/** "3 keys". */
export function sizeText(board: Pick<Board, 'roles'>): string {
  return countOf(membersOf(board).length, 'key')
}

/** Registered keys that this board does not count yet. */
export function candidatesFor(board: Pick<Board, 'roles'>, keys: readonly MemberKey[]): MemberKey[] {
  const members = new Set(membersOf(board).map(({ keyId }) => keyId))
  return keys.filter(({ keyId, retiredAt }) => retiredAt === null && !members.has(keyId))
}

/** What the member types who lets a key into the board. */
export function joinCommand(board: string, name: string, publicKey: string): string {
  const key = `${name}=${publicKey}`
  return `bascule trust join ${/[^\w=.-]/.test(key) ? `'${key.replaceAll("'", `'\\''`)}'` : key} --board ${board}`
}
