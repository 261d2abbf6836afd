import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import { close, createNew, openExisting, writeAt } from '#/durable.ts'
import { plainText } from '#/engine/plain-text.ts'
import type { TalkOutcome } from './talk.ts'

const fileName = 'contact'
const fileBytes = 2048
const repeatMs = 3_600_000

/** How the agent stands with its server, for whoever asks on the device. */
export const Contact = z.object({
  state: z.enum(['heard', 'pending', 'later']),
  why: z.string(),
  since: z.string(),
})
export type Contact = z.infer<typeof Contact>

export interface ContactLog {
  /** Tells how a conversation went: a change always, the same again at most once an hour. */
  tell(outcome: TalkOutcome, pauseMs: number): void
}

/** Says in the log how the agent stands with its server, and notes it in the data folder for `status`. */
export function createContactLog(data: string, now: () => string, log: (line: string) => void): ContactLog {
  let before: Contact | null = null
  let saidMs = 0
  return {
    tell(outcome, pauseMs) {
      const state = outcome.kind === 'heard' ? 'heard' : outcome.isPending === true ? 'pending' : 'later'
      const why = outcome.kind === 'heard' ? '' : plainText(outcome.why, 500)
      const isSame = before?.state === state && before.why === why
      const isQuiet = state === 'heard' || performance.now() - saidMs < repeatMs
      if (isSame && isQuiet) return
      saidMs = performance.now()
      log(sayContact({ state, why }, pauseMs))
      if (isSame) return
      before = { state, why, since: before?.state === state ? before.since : now() }
      note(path.join(data, fileName), before)
    },
  }
}

function sayContact({ state, why }: Omit<Contact, 'since'>, pauseMs: number): string {
  const pause = pauseMs < 120_000 ? `${Math.ceil(pauseMs / 1000)} s` : `${Math.round(pauseMs / 60_000)} min`
  if (state === 'heard') return `The server answers; the next check-in is in about ${pause}.`
  if (state === 'pending') return `Waits until a person approves this device on the server; asks again every ${pause}.`
  return `No check-in: ${why}; next try in ${pause}.`
}

/** Written in place, so that a full disk can take it; it is for people, and nothing depends on it. */
function note(file: string, contact: Contact): void {
  try {
    const fd = existsSync(file) ? openExisting(file) : createNew(file, 0o600)
    try {
      writeAt(fd, Buffer.from(`${JSON.stringify(contact)}\n`.padEnd(fileBytes)), 0)
    } finally {
      close(fd)
    }
  } catch {
    // The log has the same sentence; a disk that takes nothing is the business of the journal.
  }
}

/** What the agent noted last; null when it never did, or when the note was torn. */
export function readContact(data: string): Contact | null {
  const file = path.join(data, fileName)
  if (!existsSync(file)) return null
  try {
    return Contact.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null
    throw error
  }
}
