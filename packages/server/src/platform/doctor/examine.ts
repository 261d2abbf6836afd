import type { Config } from '#/platform/config.ts'
import { checkMigrations, checkPostgres } from './check-database.ts'
import { checkBlobs, checkClock, checkDataFolder, checkNode, checkSpace } from './check-machine.ts'
import { checkPort, checkSocketPaths, checkTls } from './check-network.ts'
import { checkSigner, checkWeb } from './check-parts.ts'
import { fail, wordsOf } from './finding.ts'
import type { Check, Finding } from './finding.ts'

const checks: readonly Check[] = [
  { what: 'node', look: (config) => checkNode(config) },
  { what: 'clock', look: (config) => checkClock(config) },
  { what: 'data folder', look: checkDataFolder },
  { what: 'free space', look: checkSpace },
  { what: 'blobs', look: checkBlobs },
  { what: 'sockets', look: checkSocketPaths },
  { what: 'port', look: checkPort },
  { what: 'tls', look: (config) => checkTls(config) },
  { what: 'postgresql', look: checkPostgres },
  { what: 'migrations', look: checkMigrations },
  { what: 'signer', look: checkSigner },
  { what: 'browser pages', look: checkWeb },
]

/** Everything that a server with this configuration needs, one finding each, in a fixed order. Changes nothing. */
export async function examine(config: Config): Promise<readonly Finding[]> {
  return await Promise.all(checks.map((check) => run(check, config)))
}

async function run({ what, look }: Check, config: Config): Promise<Finding> {
  try {
    return { what, ...(await look(config)) }
  } catch (cause) {
    return { what, ...fail(wordsOf(cause), 'Do what the sentence says; the server would not start like this.') }
  }
}
