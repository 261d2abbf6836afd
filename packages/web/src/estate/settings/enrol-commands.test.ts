import { expect, test } from 'vitest'
import { enrolCommands } from './enrol-commands.ts'

test('no program on the way gets the token as an argument, where every account could read it', () => {
  for (const { command } of enrolCommands('a-token', 'https://bascule.example', null)) {
    const [first, ...others] = command.split(' ')
    expect(first).toBe('BASCULE_TOKEN=a-token')
    expect(others.join(' ')).not.toContain('a-token')
  }
})

test('the fingerprint of the root goes with the command, so that the server cannot give the device another one', () => {
  for (const { command } of enrolCommands('a-token', 'https://bascule.example', 'ab'.repeat(32))) {
    expect(command).toContain(` --root-sha256 ${'ab'.repeat(32)}`)
  }
  expect(enrolCommands('a-token', 'https://bascule.example', null)[0]?.command).not.toContain('--root-sha256')
})
