import { expect, test } from 'vitest'
import { devicesMayNow, whatIsAsked, type WhatDevicesMayDo } from './what-devices-may-do.ts'

const first = { order: 1, devices: 2, notBefore: '2026-11-24T08:00:00Z' }
const asked: WhatDevicesMayDo = {
  kind: 'go',
  state: 'open',
  release: 'REL-0004',
  title: 'Sales Desk 2.0',
  audience: 1200,
  phases: [first, { order: 2, devices: 10, notBefore: '2026-11-25T08:00:00+02:00' }, { ...first, order: 3 }],
  isListed: false,
  isStopped: false,
  serverDecidesWho: false,
  returnsTo: ['REL-0002', 'REL-0003'],
  retires: [],
  backOutFrom: null,
  autoBackout: true,
  mayRemove: false,
  signatures: 1,
  threshold: 2,
  deferredUntil: null,
  expiresAt: '2026-12-08T08:00:00Z',
}

test('a question says for how many devices and from when, and what is signed with it', () => {
  expect(whatIsAsked(asked)).toEqual([
    'May 1,200 devices in 3 phases install Sales Desk 2.0 from 24 November 2026 08:00 UTC?',
    'Devices may go back to REL-0002 and REL-0003 without another signature.',
    'A device whose health check fails goes back by itself.',
  ])
})

test('until the board has signed nobody may install it, and it is said what is missing', () => {
  expect(devicesMayNow(asked)).toEqual(['Nobody may install it: 1 of 2 signatures.'])
  expect(devicesMayNow({ ...asked, state: 'no-go' })).toEqual(['Nobody may install it: the board said no.'])
  const deferred = { ...asked, state: 'deferred', deferredUntil: '2026-12-01' } as const
  expect(devicesMayNow(deferred)).toEqual(['Nobody may install it: the board decides again on 1 December 2026.'])
})

test('what counts is what is listed now, and a stop is stronger than any list', () => {
  const out = { ...asked, state: 'go', isListed: true, audience: 1, phases: [{ ...first, notBefore: null }] } as const
  expect(devicesMayNow(out)).toEqual([
    '1 device in 1 phase may install Sales Desk 2.0.',
    'Devices may go back to REL-0002 and REL-0003 without another signature.',
  ])
  expect(devicesMayNow({ ...out, isStopped: true })).toEqual([
    'Nobody may install Sales Desk 2.0: it is on the stop list.',
  ])
  expect(devicesMayNow({ ...out, isListed: false })).toEqual(['Nobody may install it.'])
})

test('an emergency says until when it lasts', () => {
  const out = { ...asked, kind: 'emergency', state: 'go', isListed: true, returnsTo: [] } as const
  expect(devicesMayNow(out)[1]).toBe('Without the full board nobody may install it after 8 December 2026 08:00 UTC.')
})
