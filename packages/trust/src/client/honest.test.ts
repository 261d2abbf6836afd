import { expect, test } from 'vitest'
import { ask, honestScenario, textOf } from '#/testing/scenario.ts'
import { honestWorld, members, second } from '#/testing/world.ts'

test('a fresh device installs what two of three members signed and the director ordered', async () => {
  const answer = await ask(honestScenario(honestWorld()))
  expect(textOf(answer), JSON.stringify(answer)).toBe('yes')
  if (!answer.ok) return
  expect(answer.authorised).toMatchObject({
    action: 'install',
    path: second.path,
    generation: 5,
    authorisedBy: { role: 'retail.pos', version: 2, threshold: 2 },
  })
  expect([...answer.authorised.authorisedBy.signers].sort()).toEqual(
    members
      .slice(0, 2)
      .map((key) => key.keyId)
      .sort(),
  )
})
