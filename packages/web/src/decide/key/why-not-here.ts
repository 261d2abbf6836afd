import type { MemberKey } from './use-registered-keys.ts'

/** Why this page cannot make keys or sign, in one sentence; undefined where it can. */
export function whyNotHere(isSecure = globalThis.isSecureContext): string | undefined {
  return isSecure
    ? undefined
    : 'This page came over plain http, and browsers then give no page a key. Open it over https, or sign with the bascule command line.'
}

/** Whether this page can sign with the key: it is here, or the signing page unlocks it. */
export function isUsable({ keyId, level }: MemberKey, here: ReadonlySet<string>): boolean {
  return whyNotHere() === undefined && (level === 2 || here.has(keyId))
}
