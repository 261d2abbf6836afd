/**
 * A question about one device: its attributes and its facts. The same tree is evaluated in memory (`matches`) and in
 * SQL, and written back as text (`formatQuery`). The grammar is in docs/formats/query-language.md.
 */
export type Query =
  | { readonly kind: 'all' }
  | { readonly kind: 'and'; readonly of: readonly Query[] }
  | { readonly kind: 'or'; readonly of: readonly Query[] }
  | { readonly kind: 'not'; readonly of: Query }
  | Condition

export type Condition =
  | { readonly kind: 'is'; readonly key: string; readonly value: string }
  /** Literal pieces between the stars: `ws-*` is `['ws-', '']`. */
  | { readonly kind: 'like'; readonly key: string; readonly parts: readonly string[] }
  | { readonly kind: 'compare'; readonly key: string; readonly op: CompareOp; readonly value: string }
  | { readonly kind: 'has'; readonly key: string }
  /** The name of the device contains this text. */
  | { readonly kind: 'word'; readonly text: string }
  /** The device's place on the line from 0 to a million lies in [from, to). */
  | { readonly kind: 'sample'; readonly fromPpm: number; readonly toPpm: number; readonly seed: string }

export type CompareOp = '<' | '<=' | '>' | '>='

/** Where a text is not a query, and what would make it one. */
export interface QueryProblem {
  /** Offset in UTF-16 units, as an editor counts. */
  readonly at: number
  readonly message: string
}

/** What the server knows about a device and the device cannot say about itself. Reports never overwrite these. */
export const attributeKeys = ['id', 'name', 'state', 'site', 'country', 'region', 'org', 'role', 'tag'] as const
export type AttributeKey = (typeof attributeKeys)[number]

export function isAttributeKey(key: string): key is AttributeKey {
  return (attributeKeys as readonly string[]).includes(key)
}

/** Short words for facts that people ask for often. The tree and the formatted text always hold the full name. */
export const aliases: ReadonlyMap<string, string> = new Map([
  ['free', 'disk.free.bytes'],
  ['memory', 'memory.bytes'],
  ['agent', 'agent.version'],
  ['orgunit', 'org'],
  ['ou', 'org'],
])

export type FactValue = string | number | boolean
/** Facts and attributes under one roof; an attribute with several values (`role`, `tag`, `org` with its ancestors) is a list. */
export type QueryFacts = Readonly<Record<string, FactValue | readonly string[] | undefined>>

export const queryLimits = { characters: 2000, depth: 32 } as const
