import fc from 'fast-check'
import { expect, test } from 'vitest'
import { paperLines, seedFromPaper } from './paper-key.ts'

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('every paper key can be typed in again, however it is typed', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const lines = paperLines(seed)
      const typed = [
        lines.join('\n'),
        lines
          .join('\n')
          .toUpperCase()
          .replaceAll('0', 'O')
          .replaceAll(/1(?!:)/g, 'l'),
        lines.map((line) => line.slice(3).replaceAll(/[ -]/g, '')).join('\r\n\r\n'),
      ]
      for (const text of typed) expect(seedFromPaper(text)).toEqual({ ok: true, value: Buffer.from(seed) })
    }),
  )
})

test('a wrong character, exchanged lines and a missing line are said with their line', () => {
  const lines = paperLines(Buffer.from('00112233445566778899aabbccddeeff0123456789abcdef0f1e2d3c4b5a6978', 'hex'))
  expect(lines[0]).toMatch(/^1: 0011 2233 4455 6677 - [0-9a-f]{4}$/)
  const [one = '', two = '', three = '', four = ''] = lines
  const problemOf = (...all: string[]) => seedFromPaper(all.join('\n'))
  expect(problemOf(one, two.replace('8', '9'), three, four)).toMatchObject({ error: expect.stringMatching(/^Line 2 /) })
  expect(problemOf(one, three.replace('3:', '2:'), two, four)).toMatchObject({
    error: expect.stringMatching(/^Line 2 /),
  })
  expect(problemOf(one, two, three)).toMatchObject({ error: expect.stringContaining('here are 3') })
  expect(problemOf(one, two, three, four.slice(0, -1))).toMatchObject({ error: expect.stringContaining('19 of 20') })
})
