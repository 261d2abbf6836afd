import { isNetwork } from '@bascule/domain/estate/device/network.ts'
import * as z from 'zod'
import { code } from '../lib/csv.ts'
import { enrolmentTokenId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'
import { deviceWord } from './device.ts'

export const EnrolmentTokenInput = z.object({
  label: z.string().trim().max(200).default(''),
  site: code.nullish().describe('Code of the site that devices get.'),
  orgUnit: code.nullish().describe('Code of the org unit that devices get.'),
  roles: z.array(deviceWord).max(50).default([]),
  autoApprove: z.boolean().default(false),
  usesMax: z.int().min(1).max(1_000_000).default(1).describe('How many devices it lets in.'),
  validHours: z.int().min(1).max(8760).default(24),
  fromNetwork: z.string().max(64).refine(isNetwork, 'is a network such as 10.1.0.0/16').nullish(),
})
export type EnrolmentTokenInput = z.infer<typeof EnrolmentTokenInput>

export const EnrolmentTokenView = z.object({
  id: enrolmentTokenId,
  label: z.string(),
  site: z.string().nullable(),
  orgUnit: z.string().nullable(),
  roles: z.array(z.string()),
  autoApprove: z.boolean(),
  usesMax: z.int(),
  uses: z.int(),
  fromNetwork: z.string().nullable(),
  state: z.enum(['usable', 'used-up', 'expired', 'revoked']),
  madeBy: z.string(),
  createdAt: instant,
  expiresAt: instant,
})
export type EnrolmentTokenView = z.infer<typeof EnrolmentTokenView>

export const enrolmentToken = {
  list: procedure
    .meta({ permission: 'device.read' })
    .route({ method: 'GET', path: '/estate/enrolment-tokens', summary: 'List enrolment tokens, newest first' })
    .input(PageInput)
    .output(pageOf(EnrolmentTokenView)),
  create: procedure
    .meta({ permission: 'device.enrol' })
    .route({
      method: 'POST',
      path: '/estate/enrolment-tokens',
      summary: 'Make an enrolment token; it is shown only now',
      successStatus: 201,
    })
    .input(EnrolmentTokenInput)
    .output(
      EnrolmentTokenView.extend({
        token: z.string(),
        rootSha256: z.string().nullable().describe('Fingerprint for `--root-sha256`; null before the first ceremony.'),
      }),
    ),
  revoke: procedure
    .meta({ permission: 'device.enrol' })
    .route({
      method: 'POST',
      path: '/estate/enrolment-tokens/{enrolmentTokenId}/revoke',
      summary: 'Let nobody in with this token any more',
    })
    .input(z.object({ enrolmentTokenId }))
    .output(EnrolmentTokenView),
}
