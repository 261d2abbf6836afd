import { expect, test } from 'vitest'
import { groupCommit } from './group-commit.ts'

test('what arrives during a run shares the next one', async () => {
  const runs: number[][] = []
  const gate = Promise.withResolvers<void>()
  const group = groupCommit<number, number>(async (items) => {
    runs.push([...items])
    if (runs.length === 1) await gate.promise
    return items.map((item) => item * 10)
  })
  const first = group.add(1)
  await new Promise<void>((resolve) => setImmediate(resolve))
  const rest = [group.add(2), group.add(3)]
  gate.resolve()
  expect(await first).toBe(10)
  expect(await Promise.all(rest)).toEqual([20, 30])
  expect(runs).toEqual([[1], [2, 3]])
})

test('one bad item never fails its neighbours', async () => {
  const group = groupCommit<string, string>(async (items) => {
    if (items.includes('bad')) throw new Error('refused')
    return items.map((item) => item.toUpperCase())
  })
  const answers = await Promise.allSettled(['a', 'bad', 'b'].map((item) => group.add(item)))
  expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('idle waits for everything that was added', async () => {
  const done: number[] = []
  const group = groupCommit<number, void>(async (items) => {
    await new Promise<void>((resolve) => setImmediate(resolve))
    done.push(...items)
    return items.map(() => undefined)
  })
  void group.add(1)
  void group.add(2)
  await group.idle()
  expect(done).toEqual([1, 2])
})
