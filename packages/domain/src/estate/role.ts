import { everybodysPermissions, isPermission, permissions } from './permission.ts'
import type { Permission } from './permission.ts'

/** A role: how people call it, why somebody has it, and what it allows. */
export interface RoleDefinition {
  readonly title: string
  readonly purpose: string
  readonly allows: readonly Permission[]
}

const allPermissions = Object.keys(permissions).filter(isPermission)
const reading = allPermissions.filter((permission) => permission.endsWith('.read'))

/** What those who plan, watch or run releases see. Keys, the ledger and API keys are not for everybody. */
const seeing = reading.filter((permission) => !['api-key.read', 'ledger.read', 'authority.read'].includes(permission))

/** What a person needs who is served by releases but does not make them. */
const served: readonly Permission[] = ['site.read', 'org-unit.read', 'release.read', 'known-error.read', 'message.read']

/**
 * Who may do what. The matrix is data, so that a page can show it and a test can walk it.
 * Nobody but the board votes; nobody but the administrator hands out roles; the auditor sees everything and changes nothing.
 */
export const roles = {
  'release-manager': {
    title: 'Release manager',
    purpose: 'Plans, schedules, controls and rolls out releases',
    allows: [
      ...seeing,
      'ledger.read',
      'release.write',
      'change.write',
      'calendar.write',
      'task.write',
      'audience.write',
      'product-line.write',
      'library.upload',
      'library.retire',
      'device.enrol',
      'device.approve',
      'board.write',
      'evidence.write',
      'rollout.write',
      'rollout.start',
      'rollout.pause',
      'rollout.back-out',
      'job.retry',
      'message.write',
      'message.send',
      'review.write',
    ],
  },
  'change-manager': {
    title: 'Change manager',
    purpose: 'Knows that every change of a release is approved and in its window',
    allows: [
      ...seeing,
      'ledger.read',
      'change.write',
      'change.approve',
      'calendar.write',
      'policy.write',
      'governance.write',
      'rollout.pause',
    ],
  },
  'configuration-manager': {
    title: 'Configuration manager',
    purpose: 'Keeps the record of what is installed equal to reality',
    allows: [
      ...seeing,
      'ledger.read',
      'configuration.write',
      'service.write',
      'device.write',
      'device.enrol',
      'device.approve',
      'device.revoke',
      'site.write',
      'org-unit.write',
      'person.write',
      'audience.write',
      'product-line.write',
      'library.retire',
    ],
  },
  'test-manager': {
    title: 'Test manager',
    purpose: 'Validates and tests releases and services',
    allows: [
      ...seeing,
      'environment.write',
      'evidence.write',
      'gate.sign-off',
      'migration.write',
      'defect.write',
      'library.upload',
    ],
  },
  tester: {
    title: 'Tester',
    purpose: 'Runs tests and records what was found',
    allows: [...seeing, 'evidence.write', 'defect.write'],
  },
  'board-member': {
    title: 'Board member',
    purpose: 'Decides go or no-go and can stop a release',
    allows: [...seeing, 'ledger.read', 'authority.read', 'board.vote', 'rollout.pause'],
  },
  'service-desk': {
    title: 'Service desk',
    purpose: 'Helps callers and stops the line when calls pile up',
    allows: [...seeing, 'known-error.write', 'incident.write', 'message.write', 'message.send', 'rollout.pause'],
  },
  operations: {
    title: 'Operations and support',
    purpose: 'Watches a phase, retries devices and backs out a group',
    allows: [
      ...seeing,
      'task.write',
      'device.enrol',
      'device.approve',
      'device.write',
      'rollout.start',
      'rollout.pause',
      'rollout.back-out',
      'job.retry',
      'incident.write',
      'known-error.write',
    ],
  },
  'device-owner': {
    title: 'Device owner',
    purpose: 'Uses a device and is told in time what changes',
    allows: [...served, 'device.read', 'receipt.read'],
  },
  developer: {
    title: 'Developer',
    purpose: 'Makes what is released',
    allows: [...seeing, 'library.upload', 'evidence.write', 'defect.write', 'change.write'],
  },
  auditor: {
    title: 'Auditor',
    purpose: 'Sees everything, changes nothing',
    allows: reading,
  },
  'training-coordinator': {
    title: 'Training coordinator',
    purpose: 'Plans training and floor walkers around phases',
    allows: [...seeing, 'training.write', 'message.write', 'absence.write'],
  },
  'floor-walker': {
    title: 'Floor walker',
    purpose: 'Helps people at their place on phase days',
    allows: [
      ...served,
      'person.read',
      'device.read',
      'rollout.read',
      'training.read',
      'incident.read',
      'incident.write',
    ],
  },
  'data-owner': {
    title: 'Data owner',
    purpose: 'Answers for data and its migration',
    allows: [...seeing, 'migration.write', 'evidence.write', 'gate.sign-off'],
  },
  sponsor: {
    title: 'Sponsor',
    purpose: 'Pays for a release and accepts it for the business',
    allows: [...seeing, 'gate.sign-off'],
  },
  'project-manager': {
    title: 'Project manager',
    purpose: 'Brings a project and its support teams to release day',
    allows: [...seeing, 'task.write', 'change.write', 'calendar.write', 'training.write', 'absence.write'],
  },
  'problem-manager': {
    title: 'Problem manager',
    purpose: 'Finds causes and turns them into known errors',
    allows: [...seeing, 'known-error.write', 'incident.write', 'defect.write', 'review.write'],
  },
  partner: {
    title: 'Business partner',
    purpose: 'Works with us from outside and sees what concerns both',
    allows: served,
  },
  administrator: {
    title: 'Administrator',
    purpose: 'Runs this system: people, roles, keys for machines. Decides about no release',
    allows: [
      ...reading,
      'person.write',
      'org-unit.write',
      'site.write',
      'absence.write',
      'role.grant',
      'service.write',
      'device.enrol',
      'device.approve',
      'device.revoke',
      'device.write',
      'policy.write',
      'governance.write',
      'authority.write',
      'api-key.write',
    ],
  },
  pipeline: {
    title: 'Build pipeline',
    purpose: 'A machine that uploads packages and evidence',
    allows: [
      'library.read',
      'library.upload',
      'product-line.read',
      'release.read',
      'evidence.read',
      'evidence.write',
      'gate.read',
      'rollout.read',
    ],
  },
} as const satisfies Record<string, RoleDefinition>

export type Role = keyof typeof roles

export function isRole(name: string): name is Role {
  return Object.hasOwn(roles, name)
}

/**
 * What a person needs beside the administrator's role who keeps Bascule alone. Offered once, to the first administrator; in
 * bigger houses these belong to different people.
 */
export const soloRoles = ['release-manager', 'configuration-manager', 'board-member'] as const satisfies readonly Role[]

/** A role that somebody has, everywhere or only within an org unit (with all below it) and/or at a site. */
export interface Grant {
  readonly role: Role
  readonly orgUnit?: string | undefined
  readonly site?: string | undefined
}

/** Where a thing is: the org units from the root down to its own, and its site. A thing of nowhere has neither. */
export interface Place {
  readonly orgUnitPath?: readonly string[] | undefined
  readonly site?: string | undefined
}

/** Where somebody has a permission: everywhere, or within any of these limits (none: nowhere). */
export type Coverage = 'everywhere' | readonly Pick<Grant, 'orgUnit' | 'site'>[]

export function coverageOf(grants: readonly Grant[], permission: Permission): Coverage {
  if (everybodysPermissions.includes(permission)) return 'everywhere'
  const giving = grants.filter((grant) => allowedBy(grant.role, permission))
  return giving.some((grant) => grant.orgUnit === undefined && grant.site === undefined)
    ? 'everywhere'
    : giving.map(({ orgUnit, site }) => ({ orgUnit, site }))
}

/** Whether these grants allow this at this place. A limited grant never reaches a thing that is nowhere. */
export function isAllowed(grants: readonly Grant[], permission: Permission, place: Place = {}): boolean {
  return isWithin(coverageOf(grants, permission), place)
}

/** Whether there is any place at all where these grants allow this. */
export function isAllowedSomewhere(grants: readonly Grant[], permission: Permission): boolean {
  const coverage = coverageOf(grants, permission)
  return coverage === 'everywhere' || coverage.length > 0
}

export function permissionsOf(grants: readonly Grant[]): Permission[] {
  return allPermissions.filter((permission) => isAllowedSomewhere(grants, permission))
}

export function isWithin(coverage: Coverage, place: Place): boolean {
  if (coverage === 'everywhere') return true
  return coverage.some(
    ({ orgUnit, site }) =>
      (orgUnit === undefined || (place.orgUnitPath ?? []).includes(orgUnit)) &&
      (site === undefined || place.site === site),
  )
}

function allowedBy(role: Role, permission: Permission): boolean {
  const allowed: readonly Permission[] = roles[role].allows
  return allowed.includes(permission)
}
