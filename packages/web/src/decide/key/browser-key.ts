import { canonicalJson } from '@bascule/trust/canonical.ts'
import { keep, readAll } from './local-store.ts'

/** A key of this browser. Its private half cannot be read out, not even by our own pages: they may only sign with it. */
export interface BrowserKey {
  /** The key id. */
  readonly id: string
  readonly publicKey: string
  readonly label: string
  readonly privateKey: CryptoKey
}

/** Makes a key; it is kept once `keepBrowserKey` has answered. */
export async function makeBrowserKey(label: string): Promise<BrowserKey> {
  const pair = await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify'])
  const publicKey = hexOf(await crypto.subtle.exportKey('raw', pair.publicKey))
  return { id: await keyIdOf(publicKey), publicKey, label, privateKey: pair.privateKey }
}

export async function keepBrowserKey(key: BrowserKey): Promise<void> {
  await keep(key)
  // Asked for, not relied on: a browser that must make room may still drop the key, and then a board takes a new one.
  await navigator.storage.persist()
}

export async function browserKeys(): Promise<BrowserKey[]> {
  return await readAll<BrowserKey>()
}

/** Ed25519 over the text, 128 hex characters. */
export async function signText(key: BrowserKey, text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text)
  return hexOf(await crypto.subtle.sign({ name: 'Ed25519' }, key.privateKey, bytes))
}

/** What whoever registers a key signs with it, so that nobody registers a key of somebody else. */
export function proofText(publicKey: string, level: number, label: string): string {
  return `bascule-member-key-v1\n${publicKey}\n${level}\n${label}`
}

/** SHA-256 of the key as TUF writes it: the name of the key everywhere. */
async function keyIdOf(publicKey: string): Promise<string> {
  const text = canonicalJson({ keytype: 'ed25519', scheme: 'ed25519', keyval: { public: publicKey } })
  return hexOf(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

function hexOf(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
