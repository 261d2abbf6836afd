import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'

/**
 * What a disk holds after a loss of power, computed from the trace of the durable calls. POSIX promises that bytes are
 * there after fsync of their file, and names after fsync of their folder; everything else may be lost. Two ways to
 * lose it: `all` loses every name and byte that was not synchronised; `bytes` keeps the names and loses the bytes
 * (what ext4 and xfs do when they write their own log first): files with nothing in them.
 */
export type Loss = 'all' | 'bytes'

export interface TraceOp {
  readonly op: 'create' | 'write' | 'sync' | 'truncate' | 'sync-folder' | 'rename' | 'mkdir' | 'symlink' | 'unlink'
  readonly path: string
  readonly to?: string
  readonly target?: string
  readonly mode?: number
  readonly position?: number
  readonly data?: string
  readonly sizeBytes?: number
}

interface FileNode {
  readonly kind: 'file'
  durable: Buffer
  current: Buffer
  mode: number
}
interface LinkNode {
  readonly kind: 'link'
  readonly target: string
}
interface FolderNode {
  readonly kind: 'folder'
  durable: Map<string, Node>
  current: Map<string, Node>
}
type Node = FileNode | LinkNode | FolderNode

export function readTrace(file: string): TraceOp[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  return lines.map((text) => JSON.parse(text) as TraceOp)
}

/** Replaces what lies in `folder` by what a power cut would have left of it. `base` is how it was before the trace. */
export function cutPower(folder: string, base: string, trace: readonly TraceOp[], loss: Loss | 'nothing'): void {
  const root = load(base)
  for (const op of trace) apply(root, folder, op)
  for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true, force: true })
  for (const [name, node] of entriesOf(root, loss)) store(path.join(folder, name), node, loss)
}

function load(folder: string): FolderNode {
  const children = new Map<string, Node>()
  for (const name of readdirSync(folder)) {
    const at = path.join(folder, name)
    const stat = lstatSync(at)
    if (stat.isDirectory()) children.set(name, load(at))
    else if (stat.isSymbolicLink()) children.set(name, { kind: 'link', target: readlinkSync(at) })
    else if (stat.isFile()) {
      const bytes = readFileSync(at)
      children.set(name, { kind: 'file', durable: bytes, current: bytes, mode: stat.mode & 0o777 })
    }
  }
  return { kind: 'folder', durable: new Map(children), current: children }
}

function apply(root: FolderNode, folder: string, op: TraceOp): void {
  const { parent, name } = locate(root, folder, op.path)
  const node = name === '' ? root : parent.current.get(name)
  switch (op.op) {
    case 'create':
      parent.current.set(name, {
        kind: 'file',
        durable: Buffer.alloc(0),
        current: Buffer.alloc(0),
        mode: op.mode ?? 0o644,
      })
      return
    case 'mkdir':
      parent.current.set(name, { kind: 'folder', durable: new Map(), current: new Map() })
      return
    case 'symlink':
      parent.current.set(name, { kind: 'link', target: op.target ?? '' })
      return
    case 'unlink':
      parent.current.delete(name)
      return
    case 'rename': {
      const to = locate(root, folder, op.to ?? '')
      if (node) to.parent.current.set(to.name, node)
      parent.current.delete(name)
      return
    }
    case 'sync-folder':
      if (node?.kind === 'folder') node.durable = new Map(node.current)
      return
    case 'write':
    case 'sync':
    case 'truncate':
      if (node?.kind === 'file') applyToFile(node, op)
      return
    default:
      throw new Error(`The trace holds an unknown call: ${JSON.stringify(op).slice(0, 100)}`)
  }
}

function applyToFile(file: FileNode, op: TraceOp): void {
  if (op.op === 'sync') file.durable = file.current
  if (op.op === 'truncate') file.current = file.current.subarray(0, op.sizeBytes ?? 0)
  if (op.op !== 'write') return
  const bytes = Buffer.from(op.data ?? '', 'base64')
  const position = op.position ?? 0
  const grown = Buffer.alloc(Math.max(file.current.length, position + bytes.length))
  file.current.copy(grown)
  bytes.copy(grown, position)
  file.current = grown
}

function locate(root: FolderNode, folder: string, file: string): { parent: FolderNode; name: string } {
  const parts = path.relative(folder, file).split(path.sep)
  let parent = root
  for (const part of parts.slice(0, -1)) {
    const next = parent.current.get(part)
    if (next?.kind !== 'folder') throw new Error(`The trace speaks of ${file}, whose folder it never made`)
    parent = next
  }
  return { parent, name: parts.at(-1) ?? '' }
}

function entriesOf(folder: FolderNode, loss: Loss | 'nothing'): Map<string, Node> {
  return loss === 'all' ? folder.durable : folder.current
}

function store(at: string, node: Node, loss: Loss | 'nothing'): void {
  if (node.kind === 'link') symlinkSync(node.target, at)
  else if (node.kind === 'file') {
    writeFileSync(at, loss === 'nothing' ? node.current : node.durable)
    chmodSync(at, node.mode)
  } else {
    mkdirSync(at)
    for (const [name, child] of entriesOf(node, loss)) store(path.join(at, name), child, loss)
  }
}
