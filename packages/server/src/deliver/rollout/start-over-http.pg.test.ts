import type { RolloutView } from '@bascule/contract/deliver/rollout.ts'
import { expect, onTestFinished, test } from 'vitest'
import { members } from '../testing/boards.ts'
import { addDevices, addLibrary } from '../testing/delivery-world.ts'
import { letOut, signCase, type Ask } from '../testing/sign-over-http.ts'
import { startSignedServer } from '../testing/signed-server.ts'

async function aPlanned() {
  const server = await startSignedServer()
  onTestFinished(() => server[Symbol.asyncDispose]())
  // The one who publishes works only while the server listens.
  await server.listen()
  await addDevices(server.db, 2)
  await addLibrary(server.db)
  await server.services.fleet.refresh('all')
  const ann = await server.signIn('Ann', { role: 'release-manager' }, { role: 'board-member' })
  const ask: Ask = async (method, path, body) => {
    const reply = await ann.ask(method, path, body)
    if (reply.statusCode >= 400) throw new Error(`${path}: ${reply.statusCode} ${reply.body}`)
    return reply.json()
  }
  const { releaseId } = await ask<{ releaseId: string }>('POST', '/releases', {
    title: 'Sales Desk',
    version: '2.0.0',
    productLine: 'sales-desk',
    packages: [{ name: 'salesdesk', version: '2.0.0' }],
    audience: { query: 'os:linux' },
    phases: [{ name: 'Everybody' }],
  })
  const start = async () => await ann.ask('POST', `/releases/${releaseId}/rollout/start`)
  return { ask, releaseId, start }
}

test('a release starts when its board has said Go and not before, and the refusal counts the signatures', async () => {
  const { ask, releaseId, start } = await aPlanned()
  expect((await start()).json()).toMatchObject({ data: { rule: 'release-not-authorised' } })
  const { caseId } = await ask<{ caseId: string }>('POST', `/releases/${releaseId}/ask-board`, {})
  await signCase(ask, caseId, members.slice(0, 1))
  const early = await start()
  expect([early.statusCode, early.json<{ message: string }>().message]).toEqual([
    409,
    `The release board was asked about ${releaseId} and has not said Go yet. ${caseId} has 1 of 2 signatures.`,
  ])
  await signCase(ask, caseId, members.slice(1, 2))
  await expect.poll(async () => (await start()).statusCode, { timeout: 20_000 }).toBe(200)
})

test('the cockpit says who signed what is rolling out', async () => {
  const { ask, releaseId, start } = await aPlanned()
  await letOut(ask, releaseId)
  expect((await start()).statusCode).toBe(200)
  const { authority } = await ask<RolloutView>('GET', `/releases/${releaseId}/rollout`)
  expect(authority).toMatch(/^Key [0-9a-f]{12} and Key [0-9a-f]{12} signed it for desk\.sales-desk \(version 2\)/)
})
