import { existsSync, readFileSync } from 'node:fs'
import { keyIdOf } from '@bascule/trust/keys.ts'
import type { MemberKey } from './governance.ts'
import type { LockedKey } from './locked-key.ts'
import { type Member, Refused } from './with-member.ts'

/** A public key of somebody, with the name it goes by on the ceremony sheet. */
export interface NamedKey extends MemberKey {
  readonly name: string
}

/** What the server knows about registered keys: names and how they are kept. Only a hint; keys themselves are compared. */
export type KnownKeys = ReadonlyMap<string, KnownKey>

interface KnownKey {
  readonly name: string
  /** What its owner calls it, and who that is; a person may have several. */
  readonly label: string
  readonly person: string | null
  readonly level: number
}

export async function knownKeysOf({ client }: Member): Promise<KnownKeys> {
  const { items } = await client.decide.memberKey.list()
  return new Map(
    items.map(({ publicKey, personName: person, label, level }) => {
      const name = person === null || person === label ? label : `${person}, ${label}`
      return [publicKey, { name, label, person, level }] as const
    }),
  )
}

/**
 * Reads what a person says a key is: `me`, 64 hex characters, or a file that holds those, alone or in the JSON of
 * `bascule key show --json` or of a key file. A name may stand before it: `Ada=ada.json`.
 */
export function namedKeyFrom(text: string, mine: LockedKey | undefined, known: KnownKeys): NamedKey {
  const [, given, what = ''] = /^(?:([^=]{1,60})=)?(.+)$/.exec(text) ?? []
  if (what === 'me') {
    if (mine === undefined) throw new Refused('key-is-readable', 'You have no key here. Make one: bascule key make')
    return { publicKey: mine.publicKey, level: 3, name: given ?? mine.label }
  }
  const publicKey = hexPattern.test(what) ? what.toLowerCase() : publicKeyIn(what)
  const hint = known.get(publicKey)
  const level = publicKey === mine?.publicKey ? 3 : levelOf(hint?.level)
  const name = given ?? hint?.name ?? `key ${keyIdOf(publicKey).slice(0, 12)}`
  return { publicKey, name, ...(level === undefined ? {} : { level }) }
}

const hexPattern = /^[0-9a-fA-F]{64}$/

function publicKeyIn(path: string): string {
  if (!existsSync(path)) throw new Refused('key-is-readable', `${path} is neither a public key nor a file.`)
  const content = readFileSync(path, 'utf8').trim()
  if (hexPattern.test(content)) return content.toLowerCase()
  const [, hex] = /"publicKey"\s*:\s*"([0-9a-f]{64})"/.exec(content) ?? []
  if (hex !== undefined && content.split('"publicKey"').length === 2) return hex
  throw new Refused('key-is-readable', `${path} does not hold exactly one public key.`)
}

function levelOf(level: number | undefined): 1 | 2 | 3 | undefined {
  return level === 1 || level === 2 || level === 3 ? level : undefined
}
