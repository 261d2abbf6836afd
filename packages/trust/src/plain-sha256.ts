import { sha256 } from '@bascule/domain/lib/sha256.ts'

/** SHA-256 in lower-case hex, without Node: for what also runs in a browser. Node's own is many times faster. */
export function plainSha256Hex(message: string | Uint8Array): string {
  const bytes = typeof message === 'string' ? new TextEncoder().encode(message) : message
  return Array.from(sha256(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
