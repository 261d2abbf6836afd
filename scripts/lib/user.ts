import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

export interface Account {
  readonly uid: number
  readonly gid: number
}

/** The account `nobody`, under which root tries what an ordinary user sees; undefined where there is none. */
export function ordinaryAccount(): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith('nobody:'))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

/** Gives a folder with everything in it to an account. */
export function giveTo(account: Account, folder: string): void {
  execFileSync('chown', ['-R', `${account.uid}:${account.gid}`, folder])
}
