import { expect, test } from 'vitest'
import { errorFrom } from './errors.ts'

function failure(code: string, syscall?: string): Error {
  return Object.assign(new Error(code), { code }, syscall === undefined ? {} : { syscall })
}

test('a database that is away is said to be away', () => {
  for (const cause of [
    failure('ECONNREFUSED', 'connect'),
    failure('ENOENT', 'connect'),
    failure('ECONNRESET', 'read'),
    failure('EPIPE', 'write'),
    failure('57P01'),
    failure('08006'),
  ]) {
    expect(errorFrom(cause)).toMatchObject({ code: 'UNAVAILABLE', status: 503 })
  }
})

test('a client that goes away is no trouble of the database, and neither is a file that is not there', () => {
  expect(errorFrom(failure('ECONNRESET'))).toMatchObject({ code: 'BAD_INPUT', status: 400 })
  expect(errorFrom(failure('ENOENT', 'open'))).toMatchObject({ code: 'INTERNAL_SERVER_ERROR', status: 500 })
})
