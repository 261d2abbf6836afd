import type { AssignmentCustom, ReceiptSigned, Stuck, Wait } from '@bascule/contract/device/protocol.ts'
import type { AgentStep } from '@bascule/domain/deliver/agent-step.ts'
import type { Authorisation } from '#/authority/authorised-by.ts'

export type JobAction = AssignmentCustom['action']
export type Outcome = ReceiptSigned['outcome']
export type VerificationResult = ReceiptSigned['verification'][number]

/** One package of the plan: what was chosen for this device, and what it replaces. */
export interface PlannedPackage {
  readonly name: string
  readonly version: string
  /** Digest of the OCI index, `sha256:…`. */
  readonly index: string
  readonly configDigest: string
  readonly variant: string
  readonly modules: readonly string[]
  readonly layers: readonly { readonly digest: string; readonly sizeBytes: number }[]
  /** Kind of installer, as the recipe names it. */
  readonly installer: string
  /** Folder of the version inside `<root>/<package>/versions`; null when the package is to go away. */
  readonly folder: string | null
  /** Where the activation pointed when the job was planned; null when it did not exist. */
  readonly folderBefore: string | null
  readonly versionBefore: string | null
}

export interface Plan {
  readonly packages: readonly PlannedPackage[]
  readonly totalBytes: number
  readonly verifyLevel: number
  readonly autoBackout: boolean
  readonly offlineInstall: boolean
  readonly counter: number
}

/** Everything the device knows about one job. It is written to the journal as a whole with each change. */
export interface Job {
  readonly id: string
  readonly action: JobAction
  readonly release: string
  readonly productLine: string
  readonly activation: 'current' | 'next'
  readonly generation: number
  readonly manifest: { readonly sha256: string; readonly length: number }
  readonly custom: AssignmentCustom
  /** Name of the manifest in the assignment; an agent before this one did not note it. */
  readonly path?: string
  /** Whose signatures let it through, at the last look. */
  readonly authorisedBy?: Authorisation
  readonly step: AgentStep
  readonly startedAt: string
  readonly wait?: Wait & { readonly needBytes?: number }
  readonly stuck?: Stuck
  /** The step in which the job got stuck: decides whether anything on the device may have changed. */
  readonly stuckAt?: AgentStep
  readonly plan?: Plan
  readonly cause?: string
  readonly verification: readonly VerificationResult[]
  readonly notes: readonly string[]
  /** How often the agent started anew while this job was checking: three times means the new version does that. */
  readonly restarts: number
  /** The agent was stopped on purpose while checking: the next start is no sign of trouble. */
  readonly stoppedCleanly?: boolean
  /** The server no longer wants this job; it ends at the next safe place. */
  readonly withdrawn?: boolean
}
