import * as z from 'zod'
import { keyId, sha256Hex } from '../device/protocol.ts'
import { personId } from '../lib/ids.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'
import { KeyLevel } from './signing.ts'

/** A private key as the passkey page wrapped it: worth nothing without the passkey. Base64url. */
export const WrappedKey = z.object({
  credentialId: z.string().max(1400),
  prfSalt: z.string().max(100),
  iv: z.string().max(100),
  ciphertext: z.string().max(1000),
})
export type WrappedKey = z.infer<typeof WrappedKey>

/** A key that somebody may sign with once a board has taken it. The server holds its public part only. */
export const MemberKeyView = z.object({
  keyId,
  publicKey: sha256Hex,
  level: KeyLevel,
  label: z.string(),
  personId: z.string().nullable(),
  personName: z.string().nullable(),
  /** The roles that count its signature now. */
  roles: z.array(z.string()),
  createdAt: instant,
  retiredAt: instant.nullable(),
  wrapped: WrappedKey.nullable().describe('Given to the person it belongs to, and only there.'),
})
export type MemberKeyView = z.infer<typeof MemberKeyView>

export const memberKey = {
  list: procedure
    .meta({ permission: 'board.read' })
    .route({ method: 'GET', path: '/decide/member-keys', summary: 'Keys that people registered for signing' })
    .output(z.object({ items: z.array(MemberKeyView) })),
  register: procedure
    .meta({ permission: 'board.vote' })
    .route({ method: 'POST', path: '/decide/member-keys', summary: 'Register a public key', successStatus: 201 })
    .input(
      z.object({
        publicKey: sha256Hex,
        level: KeyLevel,
        label: z.string().trim().min(1).max(100),
        /** Whose key it is; without it the caller's. Somebody else's needs the right to compose boards. */
        personId: personId.optional(),
        wrapped: WrappedKey.optional(),
        /** Ed25519 over `bascule-member-key-v1\n<publicKey>\n<level>\n<label>`, hex: who registers a key holds it. */
        proof: z.string().regex(/^[0-9a-f]{128}$/),
      }),
    )
    .output(MemberKeyView),
  retire: procedure
    .meta({ permission: 'board.vote' })
    .route({
      method: 'POST',
      path: '/decide/member-keys/{keyId}/retire',
      summary: 'Say that a key is lost or no longer used; a board must still take it out of its roles',
    })
    .input(z.object({ keyId, reason: z.string().trim().min(1).max(1000) }))
    .output(MemberKeyView),
}
