import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Result, refuse } from '@bascule/domain/lib/result.ts'
import type { Clock } from '@bascule/domain/lib/clock.ts'
import { lockFolder } from '@bascule/postgres/folder-lock.ts'
import { signAssignment } from '@bascule/trust/assignment.ts'
import { loadOrCreateKeyFile } from '@bascule/trust/key-file.ts'
import { type KeyPair, generateKeyPair, tufKeyOf } from '@bascule/trust/keys.ts'
import { type Repository, openRepository } from './repository/open-repository.ts'
import { type Judged, judgeItem } from './judge-item.ts'
import { SignItem, type SignRefusal, type SignResult, type SignerStatus, signerProtocolVersion } from './protocol.ts'
import { type SignedMemory, readCheckpoint, rememberEntry, writeCheckpoint } from './signed-memory.ts'
import { type SignerLog, openSignerLog } from './signer-log.ts'

/** The online keys with their memory, their log and the published metadata, held by exactly one process. */
export interface Signer extends Disposable {
  readonly repository: Repository
  status(): SignerStatus
  /** Signs a batch in one durable step. Throws `LogUnwritable` when nothing could be recorded: then nothing is signed. */
  sign(items: readonly unknown[]): readonly SignResult[]
}

const checkpointEvery = 2000

/**
 * Opens the folder of the signer, and makes key and log at the first start. Throws a sentence for the operator when
 * the folder is in use, open to others, or has lost its key or its log.
 */
export function openSigner(dataFolder: string, clock: Clock): Signer {
  const folder = join(dataFolder, 'signer')
  makePrivateFolder(folder)
  const files = {
    key: join(folder, 'director.pem'),
    log: join(folder, 'log.jsonl'),
    checkpoint: join(folder, 'generations'),
  }
  const stack = new DisposableStack()
  try {
    stack.use(lockFolder(folder))
    const { memory, log, tornBytes, director } = openFiles(files)
    stack.use(log)
    log.append({ kind: 'start', directorKeyId: director.keyId, tornBytes }, clock.now())
    const repository = openRepository(folder, log, clock)
    const { lastByDevice } = memory
    return signerOf({ director, log, lastByDevice, clock, checkpoint: files.checkpoint, repository, stack })
  } catch (error) {
    stack.dispose()
    throw error
  }
}

interface SignerParts {
  readonly director: KeyPair
  readonly log: SignerLog
  readonly lastByDevice: SignedMemory['lastByDevice']
  readonly clock: Clock
  readonly checkpoint: string
  readonly repository: Repository
  readonly stack: DisposableStack
}

function signerOf(parts: SignerParts): Signer {
  const { director, log, lastByDevice, clock, checkpoint, repository, stack } = parts
  const startedAt = clock.now().toString()
  let checkpointAt = log.head().entryCount
  const remember = () => {
    writeCheckpoint(checkpoint, { lastByDevice, head: log.head() })
    checkpointAt = log.head().entryCount
  }
  return {
    repository,
    status: () => ({
      protocol: signerProtocolVersion,
      directorKey: tufKeyOf(director.publicKey),
      onlineKeys: {
        snapshot: tufKeyOf(repository.onlineKeys.snapshot.publicKey),
        timestamp: tufKeyOf(repository.onlineKeys.timestamp.publicKey),
      },
      startedAt,
      deviceCount: lastByDevice.size,
      log: { entryCount: log.head().entryCount, hash: log.head().hash },
    }),
    sign(items) {
      const results = signBatch(parts, items)
      if (log.head().entryCount - checkpointAt >= checkpointEvery) remember()
      return results
    },
    [Symbol.dispose]() {
      // Without new entries the old checkpoint is as good; its log is read from there at the next start.
      if (log.head().entryCount > checkpointAt) remember()
      stack.dispose()
    },
  }
}

/** Judge, record durably, remember, sign: in this order, so that no signature exists without its record. */
function signBatch({ director, log, lastByDevice, clock }: SignerParts, items: readonly unknown[]) {
  const now = clock.now()
  const answers = judgeBatch(items, lastByDevice, now)
  const fresh = answers.flatMap(({ judged }) => (judged.ok && !judged.value.isRepeat ? [judged.value] : []))
  if (fresh.length > 0) log.append({ kind: 'signed', signed: fresh.map(lineOf) }, now)
  for (const { signed, sha256 } of fresh) lastByDevice.set(signed['x-device'], { generation: signed.version, sha256 })
  return answers.map(({ device, judged }): SignResult => {
    if (!judged.ok) return { device, refusal: judged.error }
    return { device, assignment: signAssignment(judged.value.signed, director) }
  })
}

function judgeBatch(items: readonly unknown[], lastByDevice: SignerParts['lastByDevice'], now: Temporal.Instant) {
  const seen = new Set<string>()
  return items.map((item): { readonly device: string; readonly judged: Result<Judged, SignRefusal> } => {
    const parsed = SignItem.safeParse(item)
    if (!parsed.success) return { device: deviceOf(item), judged: refuse(badItem(parsed.error)) }
    const { device } = parsed.data
    if (seen.has(device)) return { device, judged: refuse(deviceTwice) }
    seen.add(device)
    return { device, judged: judgeItem(parsed.data, lastByDevice.get(device), now) }
  })
}

const deviceTwice = { code: 'device-twice', message: 'The device stands twice in one batch.' } as const

function badItem(error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): SignRefusal {
  const issue = error.issues[0]
  const message = `The assignment is not of the agreed form: ${issue?.path.map(String).join('.')} ${issue?.message}.`
  return { code: 'bad-request', message }
}

/** The name under which the caller finds the answer; what is no text is answered without one. */
function deviceOf(item: unknown): string {
  const device = (item as { device?: unknown } | null | undefined)?.device
  return typeof device === 'string' ? device : ''
}

function lineOf({ signed, sha256 }: Judged) {
  return [signed['x-device'], signed.version, signed.expires, sha256] as const
}

function openFiles(files: { readonly key: string; readonly log: string; readonly checkpoint: string }) {
  const hasKey = existsSync(files.key)
  if (hasKey && !existsSync(files.log)) {
    throw new Error(`The signer has a key but no log. Restore ${files.log}: it says what this key has signed.`)
  }
  const memory = readCheckpoint(files.checkpoint)
  const { log, tornBytes } = openSignerLog(files.log, memory.head, (entry) => {
    rememberEntry(memory.lastByDevice, entry)
  })
  if (!hasKey && memory.lastByDevice.size > 0) {
    log[Symbol.dispose]()
    throw new Error(`The signer has a log but no key. Restore ${files.key}: every device has pinned that key.`)
  }
  return { memory, log, tornBytes, director: loadOrCreateKeyFile(files.key, generateKeyPair) }
}

function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const isPrivate = process.platform === 'win32' || (statSync(folder).mode & 0o077) === 0
  if (!isPrivate) throw new Error(`The folder ${folder} is open to others. Make it private: chmod 700 ${folder}`)
}
