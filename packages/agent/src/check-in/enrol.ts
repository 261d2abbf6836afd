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
import { makeFolders, putFile } from '#/durable.ts'
import { agentVersion } from '#/agent-version.ts'
import type { Journal } from '#/journal/journal.ts'
import type { Identity } from '#/journal/state.ts'
import { post, type Reply } from './client.ts'

export const keyFileName = 'device.key'
export const identityFileName = 'identity.json'

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
}

/**
 * Makes this device known to a server and pins its director key. Repeating it after a lost answer gives the same
 * device. A server that shows another director key than the pinned one is not obeyed.
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
  const identity: Identity = {
    server: request.server,
    deviceId: enrolled.deviceId,
    name: request.name,
    directorKey: enrolled.directorKey,
    enrolledAt: enrolled.serverTime,
  }
  // The copy beside the journal is only read when the journal is lost.
  putFile(path.join(request.data, identityFileName), Buffer.from(JSON.stringify(identity)), 0o600)
  request.journal.append({ t: 'identity', identity, epoch: enrolled.serverEpoch })
}

/** The copy made at enrolment; null when there is none that can be read. */
export function readIdentityCopy(data: string): Identity | null {
  const file = path.join(data, identityFileName)
  if (!existsSync(file)) return null
  return JSON.parse(readFileSync(file, 'utf8')) as Identity
}
