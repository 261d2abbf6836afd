import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from './command.ts'
import { root } from './root.ts'

const cli = join(root, 'packages', 'cli', 'src', 'main.ts')

/**
 * Somebody who signs, at a command line of their own: keys, passphrase and what this person has verified lie in one
 * folder, and everything happens through `bascule`, as on the machine of a member.
 */
export interface Member {
  readonly home: string
  /** Runs a command against the server and answers its JSON result. Throws with everything it said when it fails. */
  run<Answer>(...args: readonly string[]): Promise<Answer>
}

export interface MemberKey {
  readonly keyId: string
  readonly publicKey: string
}

/** A member with a folder that may be there already; the passphrase lies beside the keys, which only a trial may do. */
export async function openMember(home: string, server: string): Promise<Member> {
  await mkdir(home, { recursive: true, mode: 0o700 })
  const passphrase = await passphraseIn(home)
  const env = { BASCULE_HOME: home, BASCULE_SERVER: server, BASCULE_PASSPHRASE: passphrase }
  return {
    home,
    async run<Answer>(...args: readonly string[]) {
      const outcome = await runCommand({
        name: `bascule ${args[0] ?? ''}`,
        run: [process.execPath, cli, ...args, '--json'],
        env: { ...env, BASCULE_API_KEY: undefined, BASCULE_API_KEY_FILE: undefined },
      })
      if (!outcome.ok) throw new Error(`bascule ${args.join(' ')} failed:\n${outcome.output}`)
      return answerIn(outcome.output) as Answer
    },
  }
}

/** The result is one line of JSON; what a person would read meanwhile stands around it. */
function answerIn(output: string): unknown {
  const line = output.split('\n').findLast((one) => one.startsWith('{'))
  if (line === undefined) throw new Error(`There is no result in:\n${output}`)
  return JSON.parse(line)
}

async function passphraseIn(home: string): Promise<string> {
  const file = join(home, 'passphrase')
  if (!existsSync(file)) await writeFile(file, randomBytes(18).toString('base64url'), { mode: 0o600 })
  return await readFile(file, 'utf8')
}
