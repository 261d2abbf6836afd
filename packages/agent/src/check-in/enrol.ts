import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import {
  devicePaths,
  deviceProtocolVersion,
  Enrolled,
  type Enrol,
  type Facts,
} from '@bascule/contract/device/protocol.ts'
import { signEnrolProof } from '@bascule/trust/enrol-proof.ts'
import { loadKeyFile } from '@bascule/trust/key-file.ts'
import { generateKeyPair, keyIdOf, keyPairToPem, type KeyPair } from '@bascule/trust/keys.ts'
import { anchorFrom, storeAnchor } from '#/authority/anchor.ts'
import { identityFileName, storeIdentityCopy } from '#/authority/anchor-in-use.ts'
import { makeFolders, putFile, removeTree } from '#/durable.ts'
import { agentVersion } from '#/agent-version.ts'
import type { Journal } from '#/journal/journal.ts'
import type { Identity } from '#/journal/state.ts'
import { post, type Reply } from './client.ts'

export const keyFileName = 'device.key'
/** Folder of the verified metadata. */
export const metadataFolderName = 'tuf'

/** The device key, made here at the first start and never sent anywhere. */
export function loadOrMakeKey(data: string): KeyPair {
  const file = path.join(data, keyFileName)
  if (existsSync(file)) return loadKeyFile(file)
  makeFolders(data, 0o700)
  putFile(file, Buffer.from(keyPairToPem(generateKeyPair())), 0o600)
  return loadKeyFile(file)
}

export interface EnrolRequest {
  readonly server: string
  readonly token: string
  readonly name: string
  readonly data: string
  readonly key: KeyPair
  readonly journal: Journal
  readonly facts: Facts
  readonly signal: AbortSignal
  /** Fingerprint of the first root, when a person gave one. */
  readonly rootSha256: string | null
}

/**
 * Makes this device known to a server and pins its director key and the first root of the release boards. Repeating it after a lost answer gives the same
 * device. A server that shows another director key than the pinned one is not obeyed. Throws `WrongRoot` when the root is not the one of the fingerprint.
 */
export async function enrol(request: EnrolRequest): Promise<Reply<Enrolled>> {
  const createdAt = new Date().toISOString()
  const { token, name, facts, key } = request
  const body: Enrol = {
    protocol: deviceProtocolVersion,
    token,
    publicKey: key.publicKey,
    name,
    agentVersion,
    facts,
    createdAt,
    proof: signEnrolProof(key, { token, createdAt }),
  }
  const reply = await post({ server: request.server, path: devicePaths.enrol, body, signal: request.signal }, Enrolled)
  if (reply.kind === 'ok') remember(request, reply.body)
  return reply
}

function remember(request: EnrolRequest, enrolled: Enrolled): void {
  const pinned = request.journal.state.identity?.directorKey
  const isOther = pinned && keyIdOf(pinned.keyval.public) !== keyIdOf(enrolled.directorKey.keyval.public)
  if (isOther) throw new Error('The server shows another director key than the one this device has pinned.')
  if (enrolled.deviceId !== request.key.keyId) throw new Error('The server answered for another device key.')
  const demanded = request.rootSha256 ?? undefined
  const rootBytes = enrolled.root === null ? null : Buffer.from(enrolled.root)
  // Looked at before anything is stored: a device that was led astray stays free to be enrolled where it belongs.
  const root = rootBytes && anchorFrom(rootBytes, demanded)
  const identity: Identity = {
    server: request.server,
    deviceId: enrolled.deviceId,
    name: request.name,
    directorKey: enrolled.directorKey,
    enrolledAt: enrolled.serverTime,
    ...(root ? { root } : {}),
    ...(demanded === undefined ? {} : { demandedRootSha256: demanded }),
  }
  // What another life of this folder had verified is nothing to this one.
  removeTree(path.join(request.data, metadataFolderName))
  if (rootBytes) storeAnchor(request.data, rootBytes)
  storeIdentityCopy(request.data, identity)
  request.journal.append({ t: 'identity', identity, epoch: enrolled.serverEpoch })
}

/** The copy made at enrolment; null when there is none that can be read. */
export function readIdentityCopy(data: string): Identity | null {
  const file = path.join(data, identityFileName)
  if (!existsSync(file)) return null
  return JSON.parse(readFileSync(file, 'utf8')) as Identity
}
