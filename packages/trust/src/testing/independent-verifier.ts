import { createHash, createPublicKey, verify } from 'node:crypto'

/**
 * A second reader of exported repositories, written from the text of the TUF specification 1.0 (section 5, "detailed
 * client workflow") and from nothing of ours: it imports no line of this package and no TUF library. If both agree
 * about a repository, the repository is TUF and not merely what our own code believes TUF to be.
 */
export interface Verdict {
  readonly path: string
  readonly length: number
  readonly sha256: string
  readonly role: string
}

type Json = Record<string, unknown>
type Key = { keytype: string; scheme: string; keyval: { public: string } }
type Role = { keyids: string[]; threshold: number }
type Delegation = Role & { name: string; paths: string[]; terminating: boolean }
type Signed = Json & { _type: string; version: number; expires: string }
type Document = { signed: Signed; signatures: { keyid: string; sig: string }[] }

/** Finds a target in a repository, from a trusted root on. Throws with the paragraph of the specification it fails. */
export function findTarget(
  read: (name: string) => Uint8Array | undefined,
  trustedRoot: Uint8Array,
  path: string,
  time: Date,
): Verdict {
  const root = latestRoot(read, trustedRoot)
  fresh('5.3.10', root.signed, time)
  const keys = root.signed['keys'] as Record<string, Key>
  const roles = root.signed['roles'] as Record<string, Role>

  const timestamp = parse(need(read, 'timestamp.json'), 'timestamp')
  signed('5.4.2', timestamp, keys, roles['timestamp'])
  fresh('5.4.4', timestamp.signed, time)

  const about = (timestamp.signed['meta'] as Json)['snapshot.json'] as {
    version: number
    length?: number
    hashes?: Json
  }
  const snapshotBytes = need(read, `${about.version}.snapshot.json`)
  matches('5.5.2', snapshotBytes, about)
  const snapshot = parse(snapshotBytes, 'snapshot')
  signed('5.5.3', snapshot, keys, roles['snapshot'])
  demand('5.5.4', snapshot.signed.version === about.version, 'the snapshot has another version than the timestamp says')
  fresh('5.5.6', snapshot.signed, time)

  const load = (name: string, by: Record<string, Key>, role: Role | undefined) => {
    const meta = (snapshot.signed['meta'] as Record<string, { version: number; length?: number; hashes?: Json }>)[
      `${name}.json`
    ]
    demand('5.6.1', meta !== undefined, `${name} is not in the snapshot`)
    const bytes = need(read, `${meta?.version}.${name}.json`)
    matches('5.6.2', bytes, meta ?? {})
    const document = parse(bytes, 'targets')
    signed('5.6.3', document, by, role)
    demand('5.6.4', document.signed.version === meta?.version, `${name} has another version than the snapshot says`)
    fresh('5.6.5', document.signed, time)
    return document
  }
  return search(load, { name: 'targets', keys, role: roles['targets'] }, path)
}

/** 5.3: one root after another, each signed by the quorum before it and by its own. */
function latestRoot(read: (name: string) => Uint8Array | undefined, trusted: Uint8Array): Document {
  let root = parse(trusted, 'root')
  for (;;) {
    const bytes = read(`${root.signed.version + 1}.root.json`)
    if (!bytes) return root
    const next = parse(bytes, 'root')
    for (const judge of [root, next]) {
      const { keys, roles } = judge.signed as unknown as { keys: Record<string, Key>; roles: Record<string, Role> }
      signed('5.3.4', next, keys, roles['root'])
    }
    demand('5.3.5', next.signed.version === root.signed.version + 1, 'a root version is skipped')
    root = next
  }
}

interface Visit {
  readonly name: string
  readonly keys: Record<string, Key>
  readonly role: Role | undefined
}

/** 5.6.7: a search in the order of the delegations, depth first; a terminating delegation ends it. */
function search(
  load: (name: string, keys: Record<string, Key>, role: Role | undefined) => Document,
  start: Visit,
  path: string,
): Verdict {
  const visited = new Set<string>()
  const stack = [start]
  for (let visit = stack.pop(); visit; visit = stack.pop()) {
    if (visited.has(visit.name)) continue
    visited.add(visit.name)
    const { signed: role } = load(visit.name, visit.keys, visit.role)
    const targets = new Map(
      Object.entries(role['targets'] as Record<string, { length: number; hashes: { sha256: string } }>),
    )
    const target = targets.get(path)
    if (target) return { path, length: target.length, sha256: target.hashes.sha256, role: visit.name }
    const delegations = role['delegations'] as { keys: Record<string, Key>; roles: Delegation[] } | undefined
    const wanted: Visit[] = []
    for (const one of delegations?.roles ?? []) {
      if (!one.paths.some((pattern) => covers(pattern, path))) continue
      wanted.push({ name: one.name, keys: delegations?.keys ?? {}, role: one })
      if (one.terminating) {
        stack.length = 0
        break
      }
    }
    stack.push(...wanted.toReversed())
  }
  throw new Error(`5.6.7.3: nobody lists ${path}`)
}

/** Shell-style patterns without any other sign than the star, which does not cross a slash. */
function covers(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  if (wanted.length !== given.length) return false
  return wanted.every((word, index) => {
    const [head = '', ...rest] = word.split('*')
    const text = given[index] ?? ''
    if (rest.length === 0) return word === text
    const tail = rest.at(-1) ?? ''
    return rest.length === 1 && text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail)
  })
}

/** 4.2.1 and the threshold: distinct keys, ids recomputed, one signature each. */
function signed(paragraph: string, document: Document, keys: Record<string, Key>, role: Role | undefined): void {
  if (!role) throw new Error(`${paragraph}: nobody may sign this`)
  demand(paragraph, Number.isInteger(role.threshold) && role.threshold >= 1, 'the threshold is no whole number above 0')
  const message = Buffer.from(olpc(document.signed), 'utf8')
  const people = new Set<string>()
  for (const { keyid, sig } of document.signatures) {
    const key = role.keyids.includes(keyid) ? keys[keyid] : undefined
    if (!key || createHash('sha256').update(olpc(key)).digest('hex') !== keyid) continue
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(key.keyval.public, 'hex')])
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
    if (verify(null, message, publicKey, Buffer.from(sig, 'hex'))) people.add(key.keyval.public)
  }
  demand(paragraph, people.size >= role.threshold, `signed by ${people.size} of ${role.threshold}`)
}

function fresh(paragraph: string, { expires }: Signed, time: Date): void {
  const end = Date.parse(expires)
  demand(paragraph, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(expires) && end > time.getTime(), `expired at ${expires}`)
}

function matches(paragraph: string, bytes: Uint8Array, meta: { length?: number; hashes?: Json }): void {
  demand(paragraph, meta.length === undefined || meta.length === bytes.length, 'the length is another one')
  const sha256 = meta.hashes?.['sha256']
  demand(
    paragraph,
    sha256 === undefined || sha256 === createHash('sha256').update(bytes).digest('hex'),
    'the hash is another one',
  )
}

function parse(bytes: Uint8Array, type: string): Document {
  const document = JSON.parse(Buffer.from(bytes).toString('utf8')) as Document
  demand('4.3', document.signed._type === type, `this is no ${type}`)
  demand('4.3', String(document.signed['spec_version']).startsWith('1.'), 'this is another specification')
  return document
}

function need(read: (name: string) => Uint8Array | undefined, name: string): Uint8Array {
  const bytes = read(name)
  if (!bytes) throw new Error(`5.1: ${name} is not there`)
  return bytes
}

function demand(paragraph: string, isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(`${paragraph}: ${otherwise}`)
}

/** OLPC canonical JSON, from its page: sorted keys, no spaces, and only the quote and the backslash are escaped. */
function olpc(value: unknown): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, (sign) => `\\${sign}`)}"`
  if (Array.isArray(value)) return `[${value.map(olpc).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, item]) => `${olpc(key)}:${olpc(item)}`).join(',')}}`
  }
  return String(value)
}
