/** Why this page cannot make keys or sign, in one sentence; undefined where it can. */
export function whyNotHere(isSecure = globalThis.isSecureContext): string | undefined {
  return isSecure
    ? undefined
    : 'This page came over plain http, and browsers then give no page a key. Open it over https, or sign with the bascule command line.'
}
