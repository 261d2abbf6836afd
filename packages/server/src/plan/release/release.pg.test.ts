import { expect, test } from 'vitest'
import { startTestServer } from '#/platform/test/test-server.ts'

test('a query that is half typed is a bad input of the preview, at its place, and no mistake of ours', async () => {
  await using server = await startTestServer()
  const ann = await server.signIn('Ann', { role: 'release-manager' })
  const body = { audience: { query: 'os:linux' }, phases: [{ name: 'Pilot', query: 'why not' }] }
  const reply = await ann.ask('POST', '/releases/preview', body)
  expect(reply.json()).toMatchObject({ code: 'BAD_INPUT', data: { field: 'phases.0.query' } })
  const whole = { ...body, phases: [{ name: 'Pilot', query: '' }] }
  expect((await ann.ask('POST', '/releases/preview', whole)).json()).toMatchObject({ audience: 0, unplaced: 0 })
})
