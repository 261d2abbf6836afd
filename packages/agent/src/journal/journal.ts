import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import {
  close,
  createNew,
  makeFolders,
  openExisting,
  putFile,
  syncData,
  syncFile,
  syncFolder,
  writeAt,
} from '#/durable.ts'
import { assert } from '@bascule/domain/lib/result.ts'
import { encodeFrame, readFrames, type FileContent } from './frame.ts'
import { applyRecord, emptyState, type AgentState, type JournalRecord } from './state.ts'

/**
 * The memory of the agent: two preallocated files that are written in place, so that a full disk never keeps the agent
 * from recording and telling what happens. An append is one frame and one fdatasync; when a file is full the state is
 * written as a snapshot into the other one, with the next generation. A frame is there as a whole or not at all.
 */
export interface Journal {
  readonly state: AgentState
  /** Makes the records durable together, then takes them into the state. */
  append(...records: JournalRecord[]): void
  /** Why nothing can be made durable at present; the agent then lives from memory and begins no change. */
  readonly blind: string | null
  /** While blind: tries again to make durable what is only in memory. */
  heal(): void
  /** Replaces everything, after the journal was lost. */
  restart(state: AgentState): void
  close(): void
}

export interface JournalOpened {
  readonly journal: Journal
  /** `new` also when the files are missing: the caller knows whether this device had a life before. */
  readonly found: 'new' | 'good' | 'corrupt'
  readonly detail: string
}

export const journalSizeBytes = 1_048_576
const names = ['journal-a', 'journal-b'] as const

interface Files {
  readonly folder: string
  /** Opened when they are first needed, so that a disk that was read-only at the start is used as soon as it is not. */
  readonly fds: (number | null)[]
  active: number
  generation: number
  endBytes: number
  readonly sizeBytes: number
}

/** Opens or creates the journal of a data folder. Throws only when there is none and none can be created. */
export function openJournal(folder: string, sizeBytes = journalSizeBytes): JournalOpened {
  const missing = prepare(folder, sizeBytes)
  const contents = names.map((name) => contentOf(path.join(folder, name)))
  const newest = contents[0]!.generation >= contents[1]!.generation ? 0 : 1
  const content = contents[newest]!
  const damage = damageOf(missing, content, names[newest])
  if (content.corruptAt !== null) quarantine(folder, names[newest])

  const files: Files = {
    folder,
    fds: [null, null],
    // After damage the next write is a snapshot into the other file: the damaged one stays as it is for a while.
    active: newest,
    generation: Math.max(content.generation, contents[1 - newest]!.generation),
    endBytes: damage === null ? content.endBytes : sizeBytes,
    sizeBytes,
  }
  const state = damage === null ? stateOf(content.payloads) : emptyState
  return {
    journal: journalOver(files, state, problemOfOpening(files)),
    found: damage !== null ? 'corrupt' : content.generation === 0 ? 'new' : 'good',
    detail: damage ?? '',
  }
}

/** A file that is gone may have been the newer one, so what the other one holds is not believed either. */
function damageOf(missing: readonly string[], content: FileContent, name: string): string | null {
  if (content.corruptAt !== null) return `${name} is damaged at byte ${content.corruptAt}`
  return content.generation > 0 && missing.length > 0 ? `${missing.join(' and ')} is missing` : null
}

/** The state as another process may read it, without taking part: for `bascule-agent status`. */
export function readJournal(folder: string): AgentState | null {
  const contents = names.map((name) => contentOf(path.join(folder, name)))
  const newest = contents[0]!.generation >= contents[1]!.generation ? contents[0]! : contents[1]!
  return newest.generation === 0 || newest.corruptAt !== null ? null : stateOf(newest.payloads)
}

/** Creates what is missing and answers the names of it; a creation that was interrupted is finished. */
function prepare(folder: string, sizeBytes: number): string[] {
  const missing = names.filter((name) => !existsSync(path.join(folder, name)))
  const short = names.filter((name) => sizeOf(path.join(folder, name)) < sizeBytes)
  if (short.length === 0) return missing
  makeFolders(folder, 0o700)
  for (const name of short) preallocate(path.join(folder, name), sizeBytes)
  syncFolder(folder)
  return missing
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** Real zeros, not a hole: a hole would need a block at the very moment when there is none left. */
function preallocate(file: string, sizeBytes: number): void {
  const from = sizeOf(file)
  const fd = existsSync(file) ? openExisting(file) : createNew(file, 0o600)
  try {
    writeAt(fd, Buffer.alloc(sizeBytes - from), from)
    syncFile(fd)
  } finally {
    close(fd)
  }
}

function contentOf(file: string): FileContent {
  if (!existsSync(file)) return { generation: 0, payloads: [], endBytes: 0, corruptAt: null }
  return readFrames(readFileSync(file))
}

function stateOf(payloads: readonly Buffer[]): AgentState {
  let state = emptyState
  for (const payload of payloads) {
    for (const record of JSON.parse(payload.toString('utf8')) as JournalRecord[]) state = applyRecord(state, record)
  }
  return state
}

/** A copy of the damaged file for whoever wants to know why; best effort, because the disk may be full. */
function quarantine(folder: string, name: string): void {
  try {
    putFile(path.join(folder, `${name}.damaged`), readFileSync(path.join(folder, name)), 0o600)
  } catch (error) {
    process.stderr.write(`Could not keep a copy of the damaged journal: ${String(error)}\n`)
  }
}

function journalOver(files: Files, initial: AgentState, problem: string | null): Journal {
  let state = initial
  let blind = problem
  let isClosed = false
  const write = (records: readonly JournalRecord[], next: AgentState): void => {
    // A late answer after the end must never reach a number that by now may stand for another file.
    assert(!isClosed, 'nothing is written to a closed journal')
    state = next
    try {
      if (!appendFrame(files, records)) state = compact(files, next)
      blind = null
    } catch (error) {
      const rescued = rescue(files, next, error)
      state = rescued.state
      blind = rescued.blind
    }
  }
  return {
    get state() {
      return state
    },
    get blind() {
      return blind
    },
    append(...records) {
      write(records, records.reduce(applyRecord, state))
    },
    heal() {
      if (blind === null) return
      files.endBytes = files.sizeBytes
      write([], state)
    },
    restart(fresh) {
      files.endBytes = files.sizeBytes
      write([], fresh)
    },
    close() {
      isClosed = true
      for (const fd of files.fds) if (fd !== null) close(fd)
    },
  }
}

/**
 * A failed append leaves a tail of which nothing is known, so it is never written behind: the whole state goes into
 * the other file. Answers why the agent is blind when that fails too.
 */
function rescue(files: Files, next: AgentState, first: unknown): { state: AgentState; blind: string | null } {
  try {
    return { state: compact(files, next), blind: null }
  } catch (error) {
    files.endBytes = files.sizeBytes
    return { state: next, blind: `The journal cannot be written: ${messageOf(first)}; then ${messageOf(error)}` }
  }
}

/** False when the frame does not fit behind the last one. */
function appendFrame(files: Files, records: readonly JournalRecord[]): boolean {
  const frame = encodeFrame(files.generation, Buffer.from(JSON.stringify(records)))
  if (files.generation === 0 || files.endBytes + frame.length > files.sizeBytes) return false
  const fd = fdOf(files, files.active)
  writeAt(fd, frame, files.endBytes)
  syncData(fd)
  files.endBytes += frame.length
  return true
}

/** Writes the state as a snapshot into the other file; answers the state that is kept, without what was dropped. */
function compact(files: Files, state: AgentState): AgentState {
  const { frame, kept } = snapshotFrame(files, state)
  const target = 1 - files.active
  const fd = fdOf(files, target)
  writeAt(fd, frame, 0)
  syncData(fd)
  files.active = target
  files.generation += 1
  files.endBytes = frame.length
  return kept
}

/** Leaves a quarter of the file free; the oldest acknowledged reports go first, the rest is small by nature. */
function snapshotFrame(files: Files, state: AgentState): { frame: Buffer; kept: AgentState } {
  const budget = Math.floor(files.sizeBytes * 0.75)
  for (let kept = state; ;) {
    const frame = encodeFrame(files.generation + 1, Buffer.from(JSON.stringify([{ t: 'snapshot', state: kept }])))
    if (frame.length <= budget) return { frame, kept }
    const acknowledged = kept.reports.filter((report) => report.seq <= kept.reportAcked).length
    if (acknowledged === 0) {
      if (frame.length <= files.sizeBytes) return { frame, kept }
      throw new Error(`The state of ${frame.length} bytes does not fit into the journal of ${files.sizeBytes}`)
    }
    kept = { ...kept, reports: kept.reports.slice(Math.ceil(acknowledged / 4)) }
  }
}

function fdOf(files: Files, index: number): number {
  const fd = files.fds[index] ?? openExisting(path.join(files.folder, names[index] ?? ''))
  files.fds[index] = fd
  return fd
}

/** A device on a read-only disk says so from the first moment on, not when it first wants to write something down. */
function problemOfOpening(files: Files): string | null {
  try {
    for (const index of names.keys()) fdOf(files, index)
    return null
  } catch (error) {
    return `The journal cannot be opened for writing: ${messageOf(error)}`
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
