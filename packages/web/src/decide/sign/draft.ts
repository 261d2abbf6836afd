import type { MemberKey } from '../key/use-my-keys.ts'
import type { Client } from '#/api/client.ts'

export type Draft = Awaited<ReturnType<Client['decide']['draft']['get']>>
export type DraftDocument = Draft['documents'][number]

/** Documents of the draft whose role counts this key. */
export function documentsFor(draft: Draft, keyId: string): DraftDocument[] {
  return draft.documents.filter(({ members }) => members.some((member) => member.keyId === keyId))
}

/** Documents that this key may still sign. */
export function unsignedBy(draft: Draft, keyId: string): DraftDocument[] {
  return documentsFor(draft, keyId).filter(({ signatures }) => signatures.every(({ keyid }) => keyid !== keyId))
}

/** Which of these keys can add a signature that counts, the best kept one first. */
export function keysThatCount(draft: Draft, keys: readonly MemberKey[]): MemberKey[] {
  if (draft.state !== 'signing') return []
  return keys.filter(({ keyId }) => unsignedBy(draft, keyId).length > 0).toSorted((a, b) => b.level - a.level)
}

/** Who could still sign a document, by name. */
export function missingIn({ members, signatures }: DraftDocument): string[] {
  const signed = new Set(signatures.map(({ keyid }) => keyid))
  return members.filter(({ keyId }) => !signed.has(keyId)).map(({ name }) => name)
}

/** "Ines Marek, Jun Sato and 2 more". */
export function namesText(names: readonly string[], most = 4): string {
  if (names.length <= most) return names.join(', ')
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`
}
