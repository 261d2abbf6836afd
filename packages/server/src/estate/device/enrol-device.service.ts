import type { DeviceProblem, Enrol } from '@bascule/contract/device/protocol.ts'
import { admitDevice } from '@bascule/domain/estate/device/enrolment.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { isEnrolProofValid } from '@bascule/trust/enrol-proof.ts'
import { keyIdOf } from '@bascule/trust/keys.ts'
import type { Db } from '#/platform/db/database.ts'
import { record } from '#/platform/ledger/record.ts'
import { ensureDeviceItems } from '../configuration/device-items.ts'
import { countTokenUse, lockToken } from '../enrolment-token/enrolment-token.service.ts'
import { storedFacts } from './device-facts.service.ts'
import { findDevice } from './device.store.ts'
import type { DeviceRecord, EnrolmentTokenRecord } from './device.tables.ts'

export interface EnrolledDevice {
  readonly keyId: string
  readonly state: 'pending' | 'active'
}

type Answer = Result<EnrolledDevice, DeviceProblem>

/**
 * Lets a device in. It is known by its key: enrolling again with the same key gives the same answer and uses nothing up,
 * so an answer that was lost on the way does no harm. A token is counted once per key. What a device may be later is
 * decided by the token alone, never by what the device says.
 */
export async function enrolDevice(db: Db, now: Temporal.Instant, enrol: Enrol, address: string): Promise<Answer> {
  if (!isEnrolProofValid(enrol)) return problem('bad-signature', 'The proof is not signed by the key that it names.')
  const keyId = keyIdOf(enrol.publicKey)
  return await db.transaction().execute(async (tx) => {
    const token = await lockToken(tx, enrol.token)
    const known = await findDevice(tx, keyId)
    if (known) return again(known)
    const terms = token && {
      usesMax: token.uses_max,
      uses: token.uses,
      expiresAt: token.expires_at,
      revokedAt: token.revoked_at,
      fromNetwork: token.from_network,
    }
    const admitted = admitDevice(terms, address, now)
    if (!admitted.ok) return problem('token-refused', `${admitted.error.fact} ${admitted.error.next}`)
    return token ? await insertDevice(tx, now, enrol, keyId, token) : problem('token-refused', 'There is no token.')
  })
}

function again({ key_id: keyId, state }: DeviceRecord): Answer {
  if (state === 'pending' || state === 'active') return ok({ keyId, state })
  return problem('revoked', `The device is ${state}. It needs a new key and a new enrolment token.`)
}

async function insertDevice(
  tx: Db,
  now: Temporal.Instant,
  enrol: Enrol,
  keyId: string,
  token: EnrolmentTokenRecord,
): Promise<Answer> {
  const state = token.auto_approve ? 'active' : 'pending'
  const row = await tx
    .insertInto('device')
    .values({
      ...storedFacts(enrol.facts, enrol.agentVersion),
      key_id: keyId,
      public_key: enrol.publicKey,
      name: enrol.name,
      state,
      state_since: now,
      site_id: token.site_id,
      org_unit_id: token.org_unit_id,
      owner_person_id: null,
      roles: token.roles,
      facts_at: now,
      enrolment_token_id: token.id,
      enrolled_at: now,
    })
    .onConflict((conflict) => conflict.column('key_id').doNothing())
    .returning('id')
    .executeTakeFirst()
  // Somebody else with the same key and another token was faster by a moment.
  if (!row) return problem('busy', 'This device is being enrolled just now. Ask again.')
  await tx.insertInto('device_presence').values({ device_id: row.id, last_seen_at: now }).execute()
  await countTokenUse(tx, token.id)
  if (state === 'active') await ensureDeviceItems(tx, [row.id], now)
  await record(tx, {
    actor: { kind: 'device', id: keyId, name: enrol.name },
    at: now,
    did: 'device.enrolled',
    subject: { kind: 'device', id: keyId },
    after: { name: enrol.name, state, token: token.id, agentVersion: enrol.agentVersion },
  })
  return ok({ keyId, state })
}

function problem(code: DeviceProblem['code'], message: string): Answer {
  return refuse({ code, message: message.slice(0, 500) })
}
