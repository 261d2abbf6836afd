import { signDocument } from '@bascule/trust/envelope.ts'
import type { KeyPair } from '@bascule/trust/keys.ts'
import {
  boardQuorums,
  custodians,
  emergencyMembers,
  first,
  members,
  rootQuorums,
  targetsQuorums,
  twoOf,
} from '@bascule/trust/testing/world.ts'
import { buildBoard, buildReleases, buildRoot, buildStops, buildTargets } from '@bascule/trust/tuf/build.ts'
import type { Documents } from '@bascule/trust/tuf/publish.ts'

/** What custodians and one board sign in the first ceremony, over the online keys (hex) of a signer. */
export function firstCeremony(
  online: { readonly snapshot: string; readonly timestamp: string },
  at: Temporal.Instant,
): Documents {
  const issue = { version: 1, at }
  const { retail } = targetsQuorums().boards
  const root = buildRoot(issue, {
    ...rootQuorums(),
    snapshot: { publicKeys: [online.snapshot], threshold: 1 },
    timestamp: { publicKeys: [online.timestamp], threshold: 1 },
  })
  return {
    root: signDocument(root, twoOf(custodians)),
    targets: signDocument(buildTargets(issue, { ...targetsQuorums(), boards: { retail } }), twoOf(custodians)),
    retail: signDocument(buildBoard(issue, boardQuorums()), members),
    'retail.pos': signDocument(buildReleases('line', issue, {}), twoOf(members)),
    'retail.kiosk': signDocument(buildReleases('line', issue, {}), twoOf(members)),
    'retail.emergency': signDocument(buildReleases('emergency', issue, {}), twoOf(emergencyMembers)),
    'retail.stop': signDocument(buildStops(issue, {}), members),
  }
}

/** The go for the first release of the line, signed by these members. */
export function firstGo(signers: readonly KeyPair[], at: Temporal.Instant): Documents {
  const role = buildReleases('line', { version: 2, at }, { [first.path]: first.target })
  return { 'retail.pos': signDocument(role, signers) }
}
