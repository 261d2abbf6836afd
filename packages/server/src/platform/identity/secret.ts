import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What is stored of a code or key. They carry 256 random bits, so a plain hash cannot be guessed back. */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

export function newSecret(prefix = ''): string {
  return prefix + randomBytes(32).toString('base64url')
}

/** The secret that signs session cookies, made at the first start and readable only by the server's own account. */
export function ensureCookieSecret(dataFolder: string): string {
  const file = join(dataFolder, 'secrets', 'session')
  mkdirSync(join(dataFolder, 'secrets'), { recursive: true, mode: 0o700 })
  try {
    // The flag makes the first of two starts win; the other reads what it wrote.
    writeFileSync(file, newSecret(), { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause
  }
  return readFileSync(file, 'utf8')
}
