import * as z from 'zod'
import { TufKey } from '../device/protocol.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'
import { AuthorityRole } from './signing.ts'

/** An expiry that only people can move, from 30 days before. */
export const RenewalTask = z.object({
  role: z.string(),
  expiresAt: instant,
  isOverdue: z.boolean(),
  /** Who has to sign and what stops if nobody does, in one sentence. */
  text: z.string(),
})

export const AuthorityView = z.object({
  /** False before the first ceremony: no device installs anything then. */
  isSetUp: z.boolean(),
  root: z
    .object({ version: z.int(), sha256: z.string(), text: z.string() })
    .nullable()
    .describe('1.root.json: the anchor of every device.'),
  newestRootVersion: z.int().nullable(),
  snapshotVersion: z.int().nullable(),
  timestampVersion: z.int().nullable(),
  onlineKeys: z.object({ snapshot: TufKey, timestamp: TufKey, director: TufKey }),
  roles: z.array(AuthorityRole),
  tasks: z.array(RenewalTask),
})
export type AuthorityView = z.infer<typeof AuthorityView>

export const authority = {
  get: procedure
    .meta({ permission: 'board.read' })
    .route({ method: 'GET', path: '/decide/authority', summary: 'Who may decide what, and until when' })
    .output(AuthorityView),
}
