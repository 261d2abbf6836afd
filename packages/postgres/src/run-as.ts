import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'

import type { PostgresBinaries } from './binaries.ts'
import { startRefusal } from './refusal.ts'

/** Under which user PostgreSQL runs: words to put before a command, or numbers to hand to `spawn`. */
export interface RunAs {
  readonly how: 'as-we-are' | 'user-namespace' | 'other-account'
  readonly prefix: readonly string[]
  readonly account: { readonly uid: number; readonly gid: number } | undefined
}

interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const asWeAre: RunAs = { how: 'as-we-are', prefix: [], account: undefined }

/**
 * PostgreSQL refuses user 0, and `initdb` wants a user that has a name. An ordinary user is fine as it is. Otherwise
 * a user namespace gives the process another number inside while its files stay ours outside: nothing is copied or
 * given away, and a data folder below a closed home works. Where namespaces are forbidden, another account runs it.
 */
export function chooseRunAs(binaries: PostgresBinaries, dataFolder: string): RunAs {
  const isRoot = process.geteuid?.() === 0
  if (!isRoot && hasName()) return asWeAre
  const accounts = readAccounts()
  const inNamespace = findNamespace(accounts, binaries)
  if (inNamespace) return inNamespace
  if (!isRoot) return asWeAre
  const other = findOtherAccount(accounts, binaries, dataFolder)
  if (other) return other
  throw startRefusal(
    'no-account-for-postgres',
    `PostgreSQL does not run as root. Here neither a user namespace may be made, nor can one of the accounts ` +
      `"postgres" and "nobody" reach both ${binaries.postgres} and ${dataFolder}. ` +
      'Start Bascule as an ordinary user, open the folders above for search (chmod a+x), ' +
      'or set BASCULE_DATABASE_URL to a PostgreSQL 15 or newer.',
  )
}

function hasName(): boolean {
  try {
    userInfo()
    return true
  } catch {
    // A container may run us under a number that /etc/passwd does not know.
    return false
  }
}

function findNamespace(accounts: readonly Account[], binaries: PostgresBinaries): RunAs | undefined {
  if (process.platform !== 'linux') return undefined
  const account = accounts.find((each) => each.name === 'nobody') ?? accounts.find((each) => each.name === 'postgres')
  if (!account) return undefined
  const args = ['--user', `--map-user=${account.uid}`, `--map-group=${account.gid}`, '--']
  const probe = spawnSync('unshare', [...args, binaries.postgres, '--version'], { stdio: 'ignore' })
  if (probe.status !== 0) return undefined
  return { how: 'user-namespace', prefix: ['unshare', ...args], account: undefined }
}

function findOtherAccount(
  accounts: readonly Account[],
  binaries: PostgresBinaries,
  dataFolder: string,
): RunAs | undefined {
  const owner = statSync(dataFolder).uid
  const wanted = [
    accounts.find((each) => each.uid === owner && owner !== 0),
    accounts.find((each) => each.name === 'postgres'),
    accounts.find((each) => each.name === 'nobody'),
  ]
  for (const account of wanted) {
    if (!account) continue
    const { uid, gid } = account
    const runs = spawnSync(binaries.postgres, ['--version'], { uid, gid, cwd: '/', stdio: 'ignore' }).status === 0
    const reaches = spawnSync('test', ['-x', dataFolder], { uid, gid, cwd: '/', stdio: 'ignore' }).status === 0
    if (runs && reaches) return { how: 'other-account', prefix: [], account: { uid, gid } }
  }
  return undefined
}

function readAccounts(): readonly Account[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
}
