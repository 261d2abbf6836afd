import { expect, test } from 'vitest'
import { enrolCommands } from './enrol-commands.ts'

test('no program on the way gets the token as an argument, where every account could read it', () => {
  for (const { command } of enrolCommands('a-token', 'https://bascule.example')) {
    const [first, ...others] = command.split(' ')
    expect(first).toBe('BASCULE_TOKEN=a-token')
    expect(others.join(' ')).not.toContain('a-token')
  }
})
