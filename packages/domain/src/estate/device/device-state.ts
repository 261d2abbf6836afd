import { ok, refuse, type Refusal, type Result } from '#/lib/result.ts'

export const deviceStates = ['pending', 'active', 'suspended', 'revoked', 'decommissioned'] as const
export type DeviceState = (typeof deviceStates)[number]

export const deviceActions = ['approve', 'suspend', 'resume', 'revoke', 'decommission'] as const
export type DeviceAction = (typeof deviceActions)[number]

const transitions: Record<DeviceAction, { from: readonly DeviceState[]; to: DeviceState }> = {
  approve: { from: ['pending'], to: 'active' },
  suspend: { from: ['active'], to: 'suspended' },
  resume: { from: ['suspended'], to: 'active' },
  revoke: { from: ['pending', 'active', 'suspended'], to: 'revoked' },
  decommission: { from: ['active', 'suspended', 'revoked'], to: 'decommissioned' },
}

/** Only an active device gets anything. A revoked key never comes back: the device enrols anew with another one. */
export function nextDeviceState(
  state: DeviceState,
  action: DeviceAction,
): Result<DeviceState, Refusal<'device-state'>> {
  const { from, to } = transitions[action]
  if (from.includes(state)) return ok(to)
  return refuse({
    rule: 'device-state',
    fact: `The device is ${state}.`,
    lifter: state === 'revoked' || state === 'decommissioned' ? 'nobody' : 'who looks after devices',
    next: from.length === 1 ? `This needs a device that is ${from.join()}.` : `This needs one of: ${from.join(', ')}.`,
  })
}
