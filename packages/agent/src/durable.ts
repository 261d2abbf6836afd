import * as fs from 'node:fs'
import path from 'node:path'

/**
 * The only file of the agent that changes a disk. Every change is one synchronous call on the main thread and one
 * numbered fault point, so that a test can stop the agent before each of them: nothing else of the agent can be
 * interrupted half way through something durable, because nothing else does anything durable.
 *
 * For tests, `BASCULE_FAULT=<n>:<kill|ENOSPC|EIO|EROFS>` makes the n-th change kill this very process or fail as the
 * operating system would; `BASCULE_FAULT=count` prints the number of changes at the end; `BASCULE_TRACE=<file>`
 * writes each change down, from which a power cut is reconstructed.
 */
type Fault = 'kill' | 'ENOSPC' | 'EIO' | 'EROFS'

const plan = planFrom(process.env['BASCULE_FAULT'])
const traceFd = openTrace(process.env['BASCULE_TRACE'])
const pathsByFd = new Map<number, string>()
let calls = 0

if (process.env['BASCULE_FAULT'] === 'count') {
  process.on('exit', () => fs.writeSync(2, `durable calls: ${calls}\n`))
}

function planFrom(text: string | undefined): { at: number; fault: Fault } | undefined {
  const match = /^(\d+):(kill|ENOSPC|EIO|EROFS)$/.exec(text ?? '')
  return match ? { at: Number(match[1]), fault: match[2] as Fault } : undefined
}

function openTrace(file: string | undefined): number | undefined {
  return file === undefined || file === '' ? undefined : fs.openSync(file, 'a')
}

/** Counts a change that is about to happen and lets the planned fault strike instead of it. */
function point(tag: string, file: string): void {
  calls += 1
  if (plan?.at !== calls) return
  const text = `${plan.fault}: injected at durable call ${calls}, ${tag} '${file}'`
  fs.writeSync(2, `${text}\n`)
  if (plan.fault === 'kill') killSelf()
  const error: NodeJS.ErrnoException = new Error(text)
  error.code = plan.fault
  error.syscall = tag
  error.path = file
  throw error
}

function killSelf(): never {
  process.kill(process.pid, 'SIGKILL')
  // The signal is delivered at once, but not necessarily before the next instruction: nothing may run after it.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  throw new Error('A killed process goes on')
}

function trace(op: Record<string, unknown>): void {
  if (traceFd !== undefined) fs.writeSync(traceFd, `${JSON.stringify(op)}\n`)
}

/** Creates a file that must not exist yet, empty and open for writing. */
export function createNew(file: string, mode = 0o644): number {
  point('create', file)
  const fd = fs.openSync(file, fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_RDWR, mode)
  pathsByFd.set(fd, file)
  trace({ op: 'create', path: file, mode })
  return fd
}

/** Opens a file that exists for writing in place. Changes nothing, so it is no fault point. */
export function openExisting(file: string): number {
  const fd = fs.openSync(file, fs.constants.O_RDWR)
  pathsByFd.set(fd, file)
  return fd
}

export function openToRead(file: string): number {
  return fs.openSync(file, fs.constants.O_RDONLY)
}

/** Writes all bytes at a position; a short write is continued, never taken for done. */
export function writeAt(fd: number, bytes: Uint8Array, position: number): void {
  const file = pathsByFd.get(fd) ?? '?'
  point('write', file)
  let done = 0
  while (done < bytes.length) done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done)
  if (traceFd !== undefined) trace({ op: 'write', path: file, position, data: Buffer.from(bytes).toString('base64') })
}

/** Data of the file are on the disk when this returns; for files whose size does not change. */
export function syncData(fd: number): void {
  const file = pathsByFd.get(fd) ?? '?'
  point('fdatasync', file)
  fs.fdatasyncSync(fd)
  trace({ op: 'sync', path: file })
}

export function syncFile(fd: number): void {
  const file = pathsByFd.get(fd) ?? '?'
  point('fsync', file)
  fs.fsyncSync(fd)
  trace({ op: 'sync', path: file })
}

export function truncate(fd: number, sizeBytes: number): void {
  const file = pathsByFd.get(fd) ?? '?'
  point('truncate', file)
  fs.ftruncateSync(fd, sizeBytes)
  trace({ op: 'truncate', path: file, sizeBytes })
}

export function close(fd: number): void {
  pathsByFd.delete(fd)
  fs.closeSync(fd)
}

/** Names in a folder are durable only after the folder itself is synchronised. Windows has no such call. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  point('fsync-folder', folder)
  const fd = fs.openSync(folder, fs.constants.O_RDONLY)
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  trace({ op: 'sync-folder', path: folder })
}

export function rename(from: string, to: string): void {
  point('rename', to)
  fs.renameSync(from, to)
  trace({ op: 'rename', path: from, to })
}

/** Makes one folder; its parent must exist. A folder that exists already is fine. */
export function makeFolder(folder: string, mode = 0o755): void {
  if (fs.existsSync(folder)) return
  point('mkdir', folder)
  fs.mkdirSync(folder, { mode })
  trace({ op: 'mkdir', path: folder })
}

/** Makes a folder and every missing parent, each durable in its own parent. */
export function makeFolders(folder: string, mode = 0o755): void {
  if (fs.existsSync(folder)) return
  const parent = path.dirname(folder)
  if (parent !== folder) makeFolders(parent, mode)
  makeFolder(folder, mode)
  syncFolder(parent)
}

export function link(target: string, at: string): void {
  point('symlink', at)
  fs.symlinkSync(target, at)
  trace({ op: 'symlink', path: at, target })
}

export function remove(file: string): void {
  point('unlink', file)
  fs.unlinkSync(file)
  trace({ op: 'unlink', path: file })
}

/** Removes a file, a link or a whole folder, child by child; a link is never followed. Nothing there is fine. */
export function removeTree(target: string): void {
  const stat = fs.lstatSync(target, { throwIfNoEntry: false })
  if (!stat) return
  if (!stat.isDirectory()) return remove(target)
  for (const name of fs.readdirSync(target)) removeTree(path.join(target, name))
  point('rmdir', target)
  fs.rmdirSync(target)
  trace({ op: 'unlink', path: target })
}

/** Creates a whole file whose bytes are on the disk before its name appears, and whose name is durable on return. */
export function putFile(file: string, bytes: Uint8Array, mode = 0o644): void {
  const temporary = `${file}.tmp`
  if (fs.existsSync(temporary)) remove(temporary)
  const fd = createNew(temporary, mode)
  try {
    writeAt(fd, bytes, 0)
    syncFile(fd)
  } finally {
    close(fd)
  }
  rename(temporary, file)
  syncFolder(path.dirname(file))
}

/** Writes to a kernel control file (cgroups). Nothing durable, hence no fault point. */
export function writeControl(file: string, text: string): void {
  fs.writeFileSync(file, text)
}

/** Makes and removes a kernel control folder (a cgroup). Nothing durable, hence no fault point. */
export function makeControlFolder(folder: string): void {
  fs.mkdirSync(folder, { recursive: true })
}

export function removeControlFolder(folder: string): void {
  fs.rmdirSync(folder)
}
