import type { AssignmentCustom, Facts } from '@bascule/contract/device/protocol.ts'
import type { KeyPair } from '@bascule/trust/keys.ts'
import type { AuthorityKeeper } from '#/authority/authority-keeper.ts'
import type { Installer } from '#/installers/installer.ts'
import type { Journal } from '#/journal/journal.ts'
import type { Platform } from '#/platform/platform.ts'
import type { BlobStore } from '#/store/blob-store.ts'

/** Everything the effects of jobs work with. Made once by `run`; tests make their own. */
export interface World {
  readonly journal: Journal
  readonly store: BlobStore
  readonly installers: ReadonlyMap<string, Installer>
  readonly platform: Platform
  readonly key: KeyPair
  /** What the release boards say. */
  readonly authority: AuthorityKeeper
  readonly root: string
  /** Tells this agent from others on the same machine: names its control groups. */
  readonly instance: string
  /** The soft clock: right when the server was heard, never before the latest time ever seen. */
  readonly now: () => string
  readonly facts: () => Promise<Facts>
  /** Base URLs for blobs, the server itself last. */
  readonly sources: () => readonly string[]
  readonly signal: AbortSignal
  readonly stallMs: number
  /** Jobs that the boards let through in this life of the agent; what was permitted before a restart is asked again. */
  readonly permitted: Set<string>
  /** Bytes here of a job that is downloading, for the next check-in. */
  readonly progress: Map<string, { downloadedBytes: number; totalBytes: number }>
}

/** Key of what one product line has installed under one activation name. */
export function installedKey(productLine: string, activation: AssignmentCustom['activation']): string {
  return `${productLine}@${activation}`
}
