import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { lookAtProcess } from './processes.ts'
import { startRefusal } from './refusal.ts'

interface Holder {
  readonly pid: number
  readonly startedAt: string
  readonly nonce: string
}

const lockName = 'bascule.lock'

/**
 * Takes the data folder for this process. Two living processes never hold the same folder; the lock of a dead one,
 * also after its number went to another process, is taken over. Throws a `data-folder-in-use` refusal.
 */
export function lockFolder(folder: string): Disposable {
  const path = join(folder, lockName)
  const mine = writeClaim(path)
  try {
    for (;;) {
      if (linked(mine.path, path)) break
      const found = readText(path)
      if (found === undefined) continue
      refuseIfAlive(folder, found)
      takeAway(path, found)
    }
  } finally {
    rmSync(mine.path, { force: true })
  }
  return {
    [Symbol.dispose]() {
      if (readText(path) === mine.text) rmSync(path, { force: true })
    },
  }
}

/** The claim is complete before it gets its name, so nobody ever reads half a lock. */
function writeClaim(path: string): { readonly path: string; readonly text: string } {
  const nonce = randomUUID()
  const startedAt = lookAtProcess(process.pid)?.startedAt ?? ''
  const text = `${JSON.stringify({ pid: process.pid, startedAt, nonce } satisfies Holder)}\n`
  const claim = `${path}.${nonce}`
  writeFileSync(claim, text, { mode: 0o600, flush: true })
  return { path: claim, text }
}

function refuseIfAlive(folder: string, text: string): void {
  const holder = parseHolder(text)
  if (holder === undefined) return
  const look = lookAtProcess(holder.pid)
  if (look === undefined || look.startedAt !== holder.startedAt) return
  throw startRefusal(
    'data-folder-in-use',
    `Another Bascule (process ${holder.pid}) already works in the data folder ${folder}. ` +
      'Stop it first, or choose another folder with --data.',
  )
}

/** Removes exactly the lock that was judged dead. A younger one, taken by somebody faster, gets its name back. */
function takeAway(path: string, judged: string): void {
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return
    throw error
  }
  if (readText(aside) !== judged) linked(aside, path)
  rmSync(aside, { force: true })
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null
    if (typeof value?.pid !== 'number' || typeof value.startedAt !== 'string') return undefined
    return { pid: value.pid, startedAt: value.startedAt, nonce: String(value.nonce) }
  } catch {
    // Torn by a power cut: nobody who lives wrote it.
    return undefined
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
