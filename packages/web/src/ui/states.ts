import {
  IconAlertTriangle,
  IconArchive,
  IconArrowBackUp,
  IconCircleCheck,
  IconCircleDashed,
  IconFlask2,
  IconHourglass,
  IconPlayerPause,
  IconPlayerPlay,
  IconSnowflake,
  IconSquareRotated,
  type Icon,
} from '@tabler/icons-react'

/** The ten meanings a hue may have. Nothing else in the product is coloured. */
export type Hue = 'planned' | 'test' | 'gate' | 'go' | 'roll' | 'pause' | 'freeze' | 'fail' | 'out' | 'closed'

const iconByHue: Record<Hue, Icon> = {
  planned: IconCircleDashed,
  test: IconFlask2,
  gate: IconSquareRotated,
  go: IconCircleCheck,
  roll: IconPlayerPlay,
  pause: IconPlayerPause,
  freeze: IconSnowflake,
  fail: IconAlertTriangle,
  out: IconArrowBackUp,
  closed: IconArchive,
}

export type Machine =
  | 'release'
  | 'rollout'
  | 'phase'
  | 'job'
  | 'device'
  | 'package'
  | 'token'
  | 'item'
  | 'case'
  | 'draft'
  | 'authority'

type Words = Record<string, readonly [word: string, hue: Hue]>

/** Every state a person can meet, by machine: the word and the hue. The icon follows from the hue. */
const wordsByMachine: Record<Machine, Words> = {
  release: {
    draft: ['Draft', 'planned'],
    planned: ['Planned', 'planned'],
    building: ['Building', 'test'],
    testing: ['In test', 'test'],
    accepting: ['In acceptance', 'gate'],
    authorised: ['Authorised', 'go'],
    'rolling-out': ['Rolling out', 'roll'],
    'early-life': ['Early life', 'roll'],
    'in-review': ['In review', 'closed'],
    'on-hold': ['On hold', 'pause'],
    'backing-out': ['Backing out', 'out'],
    'backed-out': ['Backed out', 'out'],
    closed: ['Closed', 'closed'],
    cancelled: ['Cancelled', 'closed'],
  },
  rollout: {
    draft: ['Draft', 'planned'],
    planned: ['Planned', 'planned'],
    authorised: ['Authorised', 'go'],
    scheduled: ['Scheduled', 'planned'],
    running: ['Rolling out', 'roll'],
    paused: ['Paused', 'pause'],
    completed: ['Complete', 'go'],
    'completed-with-residual': ['Complete, some left', 'gate'],
    'backing-out': ['Backing out', 'out'],
    'backed-out': ['Backed out', 'out'],
    aborted: ['Aborted', 'closed'],
    closed: ['Closed', 'closed'],
  },
  phase: {
    waiting: ['Planned', 'planned'],
    preparing: ['Preparing', 'planned'],
    open: ['Rolling out', 'roll'],
    soaking: ['Soaking', 'roll'],
    paused: ['Paused', 'pause'],
    evaluating: ['Evaluating', 'test'],
    'not-enough-evidence': ['Not enough evidence', 'gate'],
    held: ['Held', 'gate'],
    failed: ['Failed', 'fail'],
    succeeded: ['Complete', 'go'],
    skipped: ['Skipped', 'closed'],
    'backing-out': ['Backing out', 'out'],
    'backed-out': ['Backed out', 'out'],
  },
  job: {
    assigned: ['Not started', 'planned'],
    offered: ['Offered', 'planned'],
    notified: ['Notified', 'planned'],
    deferred: ['Put off by the user', 'pause'],
    accepted: ['Accepted', 'roll'],
    downloading: ['Downloading', 'roll'],
    'download-waiting': ['Download waits', 'pause'],
    staged: ['Staged', 'roll'],
    installing: ['Installing', 'roll'],
    interrupted: ['Interrupted', 'pause'],
    recovering: ['Recovering', 'roll'],
    'awaiting-restart': ['Waits for a restart', 'pause'],
    verifying: ['Verifying', 'test'],
    held: ['On probation', 'gate'],
    succeeded: ['Verified', 'go'],
    'already-present': ['Already there', 'go'],
    blocked: ['Blocked', 'pause'],
    'rolling-back': ['Backing out', 'out'],
    'rolled-back': ['Backed out', 'out'],
    'failed-retryable': ['Failed, tries again', 'fail'],
    'failed-needs-human': ['Failed', 'fail'],
    excused: ['Excused', 'closed'],
    'not-applicable': ['Does not apply', 'closed'],
    superseded: ['Superseded', 'closed'],
    cancelled: ['Cancelled', 'closed'],
    silent: ['Silent', 'pause'],
  },
  device: {
    pending: ['Waits for approval', 'gate'],
    active: ['Active', 'go'],
    silent: ['Silent', 'pause'],
    suspended: ['Suspended', 'pause'],
    revoked: ['Revoked', 'closed'],
    decommissioned: ['Decommissioned', 'closed'],
  },
  token: {
    usable: ['Usable', 'go'],
    'used-up': ['Used up', 'closed'],
    expired: ['Expired', 'closed'],
    revoked: ['Revoked', 'closed'],
  },
  package: {
    active: ['Available', 'go'],
    retired: ['Retired', 'closed'],
  },
  item: {
    'in-use': ['In use', 'go'],
    retired: ['Retired', 'closed'],
  },
  case: {
    preparing: ['Being prepared', 'planned'],
    open: ['Waits for the board', 'gate'],
    go: ['Go', 'go'],
    deferred: ['Deferred', 'pause'],
    'no-go': ['No-go', 'fail'],
    revoked: ['Withdrawn', 'out'],
    expired: ['Expired', 'closed'],
    superseded: ['Superseded', 'closed'],
    fulfilled: ['Carried out', 'closed'],
  },
  draft: {
    queued: ['In the queue', 'planned'],
    signing: ['Waits for signatures', 'gate'],
    published: ['Published', 'go'],
    superseded: ['Superseded', 'closed'],
    expired: ['Expired', 'closed'],
    withdrawn: ['Withdrawn', 'closed'],
  },
  authority: {
    effective: ['In force', 'go'],
    expiring: ['Expires soon', 'gate'],
    expired: ['Expired', 'fail'],
  },
}

export interface StateLook {
  word: string
  hue: Hue
  icon: Icon
}

/** States whose hue says less than there is to say; the others take the icon of their hue. */
const iconByState: Partial<Record<Machine, Record<string, Icon>>> = { phase: { soaking: IconHourglass } }

/** How a state looks. A state this table does not know is shown by its own word in grey, never hidden. */
export function stateLook(machine: Machine, state: string): StateLook {
  const [word, hue] = wordsByMachine[machine][state] ?? [plainWord(state), 'planned' as const]
  return { word, hue, icon: iconByState[machine]?.[state] ?? iconByHue[hue] }
}

/** All states of a machine, for filters and for the page of components. */
export function statesOf(machine: Machine): string[] {
  return Object.keys(wordsByMachine[machine])
}

function plainWord(state: string): string {
  const words = state.replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const driftByKind: Readonly<Record<string, string>> = {
  'other-version': 'Another version',
  missing: 'Missing',
  unmanaged: 'Not managed',
}

/** How a device differs from what the CMDB says of it. */
export function driftWords(kind: string): string {
  return driftByKind[kind] ?? plainWord(kind)
}
