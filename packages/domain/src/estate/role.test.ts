import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { everybodysPermissions, isPermission, permissions } from './permission.ts'
import { coverageOf, isAllowed, isAllowedSomewhere, isRole, permissionsOf, roles } from './role.ts'
import type { Grant, Place } from './role.ts'

const everyRole = Object.keys(roles).filter(isRole)
const everyPermission = Object.keys(permissions).filter(isPermission)

test('a release manager of Sales starts rollouts in Sales and everything below it, and nowhere else', () => {
  const grants: Grant[] = [{ role: 'release-manager', orgUnit: 'sales' }]
  expect(isAllowed(grants, 'rollout.start', { orgUnitPath: ['company', 'sales'] })).toBe(true)
  expect(isAllowed(grants, 'rollout.start', { orgUnitPath: ['company', 'sales', 'inside-sales'] })).toBe(true)
  expect(isAllowed(grants, 'rollout.start', { orgUnitPath: ['company'] })).toBe(false)
  expect(isAllowed(grants, 'rollout.start', {})).toBe(false)
  expect(isAllowedSomewhere(grants, 'rollout.start')).toBe(true)
})

test('a role for Sales in Leeds needs both', () => {
  const grants: Grant[] = [{ role: 'operations', orgUnit: 'sales', site: 'leeds' }]
  expect(isAllowed(grants, 'job.retry', { orgUnitPath: ['sales'], site: 'leeds' })).toBe(true)
  expect(isAllowed(grants, 'job.retry', { orgUnitPath: ['sales'], site: 'york' })).toBe(false)
  expect(isAllowed(grants, 'job.retry', { site: 'leeds' })).toBe(false)
})

test('the board alone votes, the administrator alone gives roles, the auditor changes nothing but the own password', () => {
  expect(everyRole.filter((role) => isAllowed([{ role }], 'board.vote'))).toEqual(['board-member'])
  expect(everyRole.filter((role) => isAllowed([{ role }], 'role.grant'))).toEqual(['administrator'])
  const beyondReading = permissionsOf([{ role: 'auditor' }]).filter((name) => !name.endsWith('.read'))
  expect(beyondReading).toEqual(['session.write'])
})

test('whoever asks for a decision or carries it out never takes it', () => {
  for (const role of everyRole.filter((name) => isAllowed([{ role: name }], 'rollout.start'))) {
    expect(isAllowed([{ role }], 'board.vote'), role).toBe(false)
  }
})

test('somebody without a role may see who they are and nothing of the estate', () => {
  expect(permissionsOf([])).toEqual(everybodysPermissions)
})

const unit = fc.constantFrom('a', 'b', 'c', 'd')
const place: fc.Arbitrary<Place> = fc.record({
  orgUnitPath: fc.option(fc.uniqueArray(unit), { nil: undefined }),
  site: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
})
const grant: fc.Arbitrary<Grant> = fc.record({
  role: fc.constantFrom(...everyRole),
  orgUnit: fc.option(unit, { nil: undefined }),
  site: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
})
const permission = fc.constantFrom(...everyPermission)

test('more grants never take anything away', () => {
  fc.assert(
    fc.property(fc.array(grant), grant, permission, place, (grants, more, name, where) => {
      expect(!isAllowed(grants, name, where) || isAllowed([...grants, more], name, where)).toBe(true)
    }),
  )
})

test('what is allowed in an org unit is allowed in every unit below it', () => {
  fc.assert(
    fc.property(fc.array(grant), permission, place, unit, (grants, name, where, below) => {
      const deeper = { ...where, orgUnitPath: [...(where.orgUnitPath ?? []), below] }
      expect(!isAllowed(grants, name, where) || isAllowed(grants, name, deeper)).toBe(true)
    }),
  )
})

test('a limit only ever narrows a role', () => {
  fc.assert(
    fc.property(grant, permission, place, (limited, name, where) => {
      const unlimited = isAllowed([{ role: limited.role }], name, where)
      expect(!isAllowed([limited], name, where) || unlimited).toBe(true)
    }),
  )
})

test('who may do it at some place may do it somewhere, and nowhere means at no place', () => {
  fc.assert(
    fc.property(fc.array(grant), permission, place, (grants, name, where) => {
      expect(!isAllowed(grants, name, where) || isAllowedSomewhere(grants, name)).toBe(true)
      if (coverageOf(grants, name) === 'everywhere') expect(isAllowed(grants, name, where)).toBe(true)
    }),
  )
})
