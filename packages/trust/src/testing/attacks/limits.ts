import { audiencePosition } from '#/client/audience-position.ts'
import { signDocument } from '#/envelope.ts'
import { buildAudienceTree } from '#/merkle.ts'
import { attack, ordered, released, type Attack, third } from '#/testing/attack.ts'
import { type Scenario, honestScenario } from '#/testing/scenario.ts'
import {
  type World,
  aRelease,
  anAssignment,
  anOrder,
  device,
  director,
  goFor,
  keyOf,
  openPhase,
  otherDevice,
  second,
} from '#/testing/world.ts'
import type { ReleaseCustom } from '#/tuf/documents.ts'

export function widerOrEarlier(): Attack[] {
  return [
    attack('a phase that the board has not opened', 'PHASE', 'phase-is-signed', (w) =>
      ordered(w, second, {}, { phase: 2 }),
    ),
    attack('a phase before its time', 'NOTBEFORE', 'phase-has-begun', (w) => {
      return limited(w, { notBefore: '2026-11-24T08:00:00Z' })
    }),
    attack('a phase after its end', 'NOTAFTER', 'phase-has-not-ended', (w) => {
      return limited(w, { notAfter: '2026-11-22T08:00:00Z' })
    }),
    attack('a device outside the audience with the proof of another', 'AUDIENCE', 'device-is-in-the-audience', (w) => {
      const stranger = keyOf('stranger')
      const assignment = signDocument({ ...anAssignment(anOrder(second)), 'x-device': stranger.keyId }, [director])
      return honestScenario(w, { assignment, deviceId: stranger.keyId })
    }),
    attack('a device of a later phase', 'AUDIENCE', 'device-is-in-the-audience', (w) => {
      return limited(w, { audienceRoot: buildAudienceTree([otherDevice.keyId]).root })
    }),
    attack('more devices than the share that was signed', 'PHASE', 'device-is-in-the-share', (w) => {
      const position = audiencePosition(device.keyId, third.path)
      return limited(w, { audienceRoot: null, permille: position })
    }),
  ]
}

/** A third release with one limit changed, honestly signed and honestly ordered. */
function limited(world: World, limit: Partial<ReleaseCustom['phases'][number]>): Scenario {
  const release = aRelease({ counter: 3 }, { phases: [{ ...openPhase, ...limit }] })
  return released(world, release, goFor(world, release))
}
