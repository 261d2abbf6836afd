import { expect, test } from 'vitest'
import { isOpenToOthers } from './target.ts'

test('only plain http to another machine is open to others', () => {
  for (const server of [
    'http://bascule.example',
    'http://10.0.0.7:8400',
    'http://[fe80::1]:8400',
    'http://0.0.0.0:8400',
  ]) {
    expect(isOpenToOthers(server), server).toBe(true)
  }
  for (const server of ['https://bascule.example', 'http://localhost:8400', 'http://127.0.0.1', 'http://[::1]:8400']) {
    expect(isOpenToOthers(server), server).toBe(false)
  }
})
