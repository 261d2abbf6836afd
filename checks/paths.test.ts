import { expect, test } from 'vitest'
import { readTracked, trackedFiles } from './lib/tracked-files.ts'

test('a folder may have a space in its name: no path is the raw pathname of a file address', () => {
  const code = trackedFiles(/\.(ts|tsx|mjs)$/).filter((path) => path !== 'checks/paths.test.ts')
  expect(code.filter((path) => readTracked(path).includes('import.meta.url).pathname'))).toEqual([])
})
