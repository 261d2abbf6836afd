/**
 * The agent's own view of one job. The server's view is `job.ts`; `jobStateFromStep` is the one total map
 * between them. Steps are journalled by the agent before they take effect.
 */
export const agentSteps = [
  'received',
  'precheck',
  'downloading',
  'downloaded',
  'staged',
  'ready',
  'quiesce',
  'installing',
  'switching',
  'rebooting',
  'checking',
  'probation',
  'committed',
  'rolling-back',
  'rolled-back',
  'failed-unchanged',
  'already-present',
  'not-applicable',
  'cancelled',
  'needs-admin',
] as const
export type AgentStep = (typeof agentSteps)[number]

/** Why a job stands still and will go on by itself as soon as the wake condition holds. */
export const waitReasons = [
  'disk',
  'network',
  'power',
  'window',
  'user',
  'app',
  'lock',
  'dependency',
  'reboot',
  'budget',
  'gate',
] as const
export type WaitReason = (typeof waitReasons)[number]

/** Why a job cannot go on without a person. */
export const adminReasons = [
  'storage',
  'trust',
  'content',
  'rights',
  'conflict',
  'unknown-state',
  'health',
  'broken',
  'journal',
  'installer',
] as const
export type AdminReason = (typeof adminReasons)[number]

const terminalSteps = new Set<AgentStep>([
  'committed',
  'rolled-back',
  'failed-unchanged',
  'already-present',
  'not-applicable',
  'cancelled',
])

/** A terminal step is reported once and never left; a retry is a new job. */
export function isTerminalStep(step: AgentStep): boolean {
  return terminalSteps.has(step)
}
