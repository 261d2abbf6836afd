import { unreachable } from '@bascule/domain/lib/result.ts'
import { isPrototypeName } from '#/canonical.ts'

/**
 * Names of roles and targets. A role name becomes a file name and a target path is matched against patterns, so both
 * are made of a few harmless characters: nothing here can climb, can mean a pattern, or can name something that every
 * object has. Role names are lower case, because some file systems do not tell cases apart; the release id in a target
 * path never becomes a file name and keeps the form people use.
 */
export type TargetKind = 'normal' | 'emergency' | 'stop'

/** What the name of a delegated role says about it. */
export type RoleName =
  | { readonly kind: 'root' | 'targets' | 'snapshot' | 'timestamp' | 'director' }
  | { readonly kind: 'board'; readonly board: string }
  | { readonly kind: 'line'; readonly board: string; readonly line: string }
  | { readonly kind: 'emergency' | 'stop'; readonly board: string }
export type RoleKind = RoleName['kind']

/** One target: `retail/pos/normal/REL-0042.json`. */
export interface TargetPath {
  readonly board: string
  readonly line: string
  readonly kind: TargetKind
  readonly release: string
}

export const targetKinds = ['normal', 'emergency', 'stop'] as const satisfies readonly TargetKind[]
export const directorRole = 'director'
export const directorPaths = 'assignments/*'

/** Whether a word may name a board or a product line. */
export function isCode(text: string): boolean {
  return codePattern.test(text) && !reserved.has(text) && !isPrototypeName(text)
}

/** Role of one product line: `retail.pos`. */
export function lineRoleName(board: string, line: string): string {
  return `${board}.${line}`
}

/** The small quorum for emergencies, over all lines of a board: `retail.emergency`. */
export function emergencyRoleName(board: string): string {
  return `${board}.emergency`
}

/** The role that can only deny, over all lines of a board: `retail.stop`. */
export function stopRoleName(board: string): string {
  return `${board}.stop`
}

/** What a role name means; undefined when no honest repository would use it. */
export function roleNameFrom(name: string): RoleName | undefined {
  switch (name) {
    case 'root':
    case 'targets':
    case 'snapshot':
    case 'timestamp':
    case 'director':
      return { kind: name }
    default:
      return delegatedNameFrom(name)
  }
}

/** The role that may list a target of this path. */
export function roleNameOf({ board, line, kind }: TargetPath): string {
  switch (kind) {
    case 'normal':
      return lineRoleName(board, line)
    case 'emergency':
      return emergencyRoleName(board)
    case 'stop':
      return stopRoleName(board)
    default:
      return unreachable(kind)
  }
}

/** The one path pattern of a role, as its delegation must write it. */
export function pathPatternOf(role: RoleName): string | undefined {
  switch (role.kind) {
    case 'board':
      return `${role.board}/*/*/*`
    case 'line':
      return `${role.board}/${role.line}/normal/*`
    case 'emergency':
    case 'stop':
      return `${role.board}/*/${role.kind}/*`
    case 'director':
      return directorPaths
    case 'root':
    case 'targets':
    case 'snapshot':
    case 'timestamp':
      return undefined
    default:
      return unreachable(role)
  }
}

/** The text of a target path. */
export function targetPathText({ board, line, kind, release }: TargetPath): string {
  return `${board}/${line}/${kind}/${release}.json`
}

/** Reads a target path; undefined when it is not of exactly this form. */
export function targetPathFrom(path: string): TargetPath | undefined {
  const [board = '', line = '', kind = '', file = '', ...rest] = path.split('/')
  const release = file.endsWith('.json') ? file.slice(0, -'.json'.length) : ''
  const isKind = (text: string): text is TargetKind => (targetKinds as readonly string[]).includes(text)
  if (rest.length > 0 || !isKind(kind) || !isCode(board) || !isCode(line) || !isReleaseId(release)) return undefined
  return { board, line, kind, release }
}

const codePattern = /^[a-z0-9][a-z0-9-]{0,59}$/
const releasePattern = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,38}[A-Za-z0-9])?$/
const reserved = new Set([
  'root',
  'targets',
  'snapshot',
  'timestamp',
  'director',
  'assignments',
  'emergency',
  'stop',
  'normal',
])

function isReleaseId(text: string): boolean {
  return releasePattern.test(text) && !text.includes('..') && !isPrototypeName(text)
}

function delegatedNameFrom(name: string): RoleName | undefined {
  const [board = '', second, ...rest] = name.split('.')
  if (rest.length > 0 || !isCode(board)) return undefined
  if (second === undefined) return { kind: 'board', board }
  if (second === 'emergency' || second === 'stop') return { kind: second, board }
  return isCode(second) ? { kind: 'line', board, line: second } : undefined
}
