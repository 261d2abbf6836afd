import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { expect, test } from 'vitest'
import { makeOld } from './make-old.ts'

test('a change during the first load of a page is not lost', async () => {
  const queries = new QueryClient()
  let devices = 5
  const answered = Promise.withResolvers<void>()
  const seen: number[] = []
  const observer = new QueryObserver(queries, {
    queryKey: ['fleet'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      const read = devices
      await answered.promise
      return read
    },
  })
  const { promise: sawAll, resolve } = Promise.withResolvers<void>()
  const end = observer.subscribe(({ data }) => {
    if (data !== undefined) seen.push(data)
    if (data === 6) resolve()
  })
  devices = 6
  makeOld(queries, ['fleet'])
  answered.resolve()
  await sawAll
  expect(seen.at(-1)).toBe(6)
  end()
  queries.clear()
})
