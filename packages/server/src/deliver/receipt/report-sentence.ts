import type { Report } from '@bascule/contract/device/protocol.ts'
import type { AgentStep } from '@bascule/domain/deliver/agent-step.ts'

const stepSentences: Record<AgentStep, string> = {
  received: 'Took the job.',
  precheck: 'Checks whether it can take the release.',
  downloading: 'Downloads.',
  downloaded: 'Has everything it needs.',
  staged: 'Has the new version ready beside the old one.',
  ready: 'Stands ready and asks whether it may install.',
  quiesce: 'Prepares the switch.',
  installing: 'Installs.',
  switching: 'Switches to the new version.',
  rebooting: 'Restarts.',
  checking: 'Verifies what it installed.',
  probation: 'Works with the new version and watches it.',
  committed: 'Done and verified.',
  'rolling-back': 'Goes back to the version before.',
  'rolled-back': 'Is back on the version before.',
  'failed-unchanged': 'Failed; nothing was changed.',
  'already-present': 'Had this version already.',
  'not-applicable': 'Nothing in this release is for this device.',
  cancelled: 'The job was taken back before the install.',
  'needs-admin': 'Needs a person.',
}

/** What a report says to a person: the reason where there is one, otherwise what the step means. */
export function sentenceOf(report: Pick<Report, 'step' | 'wait' | 'stuck' | 'receipt'>): string {
  return report.stuck?.detail ?? report.wait?.detail ?? report.receipt?.signed.cause ?? stepSentences[report.step]
}
