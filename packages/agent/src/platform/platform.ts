import type { Facts } from '@bascule/contract/device/protocol.ts'
import { darwin } from './darwin.ts'
import { linux } from './linux.ts'
import { windows } from './windows.ts'

/** A group of processes that can be ended as a whole, also those that left the process group. */
export interface Isolation {
  adopt(pid: number): void
  killAll(): void
  /** Waits until everybody is gone and removes the group. */
  end(): Promise<void>
}

/** Everything that depends on the operating system. One file per system; a call never falls back silently. */
export interface Platform {
  readonly os: 'linux' | 'windows' | 'darwin'
  /** Bytes that this process may still write below a path, which need not exist yet. */
  freeBytes(path: string): number
  facts(folders: { readonly data: string; readonly root: string }): Facts
  /** Null when the system or our rights do not allow it; the process group is then all there is. */
  isolate(name: string): Isolation | null
  bootId(): string
  /** When a process was started, as a text that no other process with the same number shares; null when it is gone. */
  processStart(pid: number): string | null
}

const platforms = new Map<NodeJS.Platform, Platform>([
  ['linux', linux],
  ['win32', windows],
  ['darwin', darwin],
])

/** The platform of this machine. Throws on one that is not known. */
export function currentPlatform(): Platform {
  const platform = platforms.get(process.platform)
  if (!platform) throw new Error(`This agent does not know the operating system ${process.platform}`)
  return platform
}
