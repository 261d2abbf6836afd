import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { assert } from '@bascule/domain/lib/result.ts'
import { type KeyPair, keyPairFromPem, keyPairToPem } from './keys.ts'

/**
 * A private key in a file of mode 0600. A key file is never overwritten and never half-written under its name: after
 * a loss of power there is either no key or the whole key, on disk before anybody learns the public half.
 */
export function createKeyFile(path: string, pair: KeyPair): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    writeDurably(draft, keyPairToPem(pair))
    linkSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
  syncFolder(dirname(path))
}

/** Loads a key file. Throws when it is damaged, a link, or readable by anybody but its owner. */
export function loadKeyFile(path: string): KeyPair {
  const stat = lstatSync(path)
  assert(stat.isFile(), `the key ${path} is a file`)
  const isPrivate = process.platform === 'win32' || (stat.mode & 0o077) === 0
  if (!isPrivate) throw new Error(`The key ${path} can be read by others. Make it private: chmod 600 ${path}`)
  try {
    return keyPairFromPem(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new Error(`Reading the key ${path}: it is damaged or not an Ed25519 key in PKCS8`, { cause })
  }
}

/** The key of a file, made with `generate` when the file is missing. Two processes that race get the same key. */
export function loadOrCreateKeyFile(path: string, generate: () => KeyPair): KeyPair {
  if (existsSync(path)) return loadKeyFile(path)
  try {
    createKeyFile(path, generate())
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return loadKeyFile(path)
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function syncFolder(path: string): void {
  // Windows cannot open a folder to sync it; NTFS journals the name with the file.
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
