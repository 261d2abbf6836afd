import { isCode } from '@bascule/trust/tuf/names.ts'
import { buildCommand } from '@stricli/core'
import type { CliContext } from '#/lib/context.ts'
import {
  addLineChanges,
  custodianChanges,
  joinChanges,
  leaveChanges,
  onlineChanges,
  quorumChanges,
  renewChanges,
  replaceKeyChanges,
} from '#/lib/signing/governance.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { type BoardFlags, boardFlags, changeFlags, type ChangeFlags, changeTrust, dueWithin } from './trust-change.ts'

const word = (placeholder: string, brief: string) => ({ placeholder, brief, parse: String }) as const
const one = (placeholder: string, brief: string) => ({ kind: 'tuple', parameters: [word(placeholder, brief)] }) as const
const two = (first: readonly [string, string], second: readonly [string, string]) =>
  ({ kind: 'tuple', parameters: [word(...first), word(...second)] }) as const
const count = (brief: string) => ({ kind: 'parsed', parse: parseCount, optional: true, brief }) as const
const keyForms = 'me, Name=file or Name=public key'

export const trustAddLineCommand = buildCommand<BoardFlags, [string], CliContext>({
  docs: { brief: 'Let the board decide about another product line' },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ placeholder: 'line', brief: 'Code of the product line', parse: parseLine }],
    },
    flags: boardFlags,
  },
  async func(flags, line) {
    await changeTrust(this, flags, ({ repository, board }) => {
      const code = board(flags)
      return { title: `${code} decides about ${line}`, changes: addLineChanges(repository, code, line) }
    })
  },
})

export const trustJoinCommand = buildCommand<BoardFlags, [string], CliContext>({
  docs: { brief: 'Take a key into the board' },
  parameters: { positional: one('key', `Key of the new member: ${keyForms}`), flags: boardFlags },
  async func(flags, text) {
    await changeTrust(this, flags, ({ repository, board, newKey }) => {
      const [code, key] = [board(flags), newKey(text)]
      return { title: `${key.name} joins ${code}`, changes: joinChanges(repository, code, key) }
    })
  },
})

export const trustLeaveCommand = buildCommand<BoardFlags, [string], CliContext>({
  docs: {
    brief: 'Take a key out of the board',
    fullDescription: 'Files that would lose their quorum are signed again by those who stay, in the same publication.',
  },
  parameters: { positional: one('key', 'Name, key id or public key of who leaves'), flags: boardFlags },
  async func(flags, text) {
    await changeTrust(this, flags, ({ repository, board, presentKey }) => {
      const code = board(flags)
      return { title: `${text} leaves ${code}`, changes: leaveChanges(repository, code, presentKey(text)) }
    })
  },
})

export const trustReplaceKeyCommand = buildCommand<BoardFlags, [string, string], CliContext>({
  docs: { brief: 'Put a new key in the place of a lost one, in every role of the board' },
  parameters: {
    positional: two(['lost', 'Name, key id or public key of the lost key'], ['new', `The new key: ${keyForms}`]),
    flags: boardFlags,
  },
  async func(flags, lost, text) {
    await changeTrust(this, flags, ({ repository, board, presentKey, newKey }) => {
      const [code, old, key] = [board(flags), presentKey(lost), newKey(text)]
      return { title: `A new key for ${key.name} in ${code}`, changes: replaceKeyChanges(repository, code, old, key) }
    })
  },
})

interface QuorumFlags extends BoardFlags {
  readonly quorum?: number
  readonly emergencyQuorum?: number
}

export const trustQuorumCommand = buildCommand<QuorumFlags, [], CliContext>({
  docs: { brief: 'Change how many members decide' },
  parameters: {
    flags: {
      ...boardFlags,
      quorum: count('How many decide about releases and about the board itself'),
      emergencyQuorum: count('How many decide an emergency'),
    },
  },
  async func({ quorum, emergencyQuorum, ...flags }) {
    await changeTrust(this, flags, ({ repository, board }) => {
      const code = board(flags)
      const wanted = { ...(quorum && { quorum }), ...(emergencyQuorum && { emergencyQuorum }) }
      return { title: `Another quorum for ${code}`, changes: quorumChanges(repository, code, wanted) }
    })
  },
})

export const trustRotateOnlineCommand = buildCommand<ChangeFlags, [], CliContext>({
  docs: {
    brief: 'Name the present keys of the signer in the root, in the place of the old ones',
    fullDescription: 'After they were stolen, or the signer was set up anew. The root is signed by the custodians.',
  },
  parameters: { flags: changeFlags },
  async func(flags) {
    await changeTrust(this, flags, async ({ repository, member }) => {
      const { onlineKeys } = await member.client.decide.authority.get()
      const { snapshot, timestamp, director } = onlineKeys
      const online = {
        snapshot: snapshot.keyval.public,
        timestamp: timestamp.keyval.public,
        director: director.keyval.public,
      }
      return { title: 'New online keys', changes: onlineChanges(repository, online) }
    })
  },
})

interface CustodianFlags extends ChangeFlags {
  readonly threshold?: number
}

export const trustReplaceCustodianCommand = buildCommand<CustodianFlags, [string, string], CliContext>({
  docs: { brief: 'Put another custodian in the place of one' },
  parameters: {
    positional: two(['old', 'Name, key id or public key of who leaves'], ['new', `Key of who comes: ${keyForms}`]),
    flags: { ...changeFlags, threshold: count('How many custodians sign from now on') },
  },
  async func({ threshold, ...flags }, old, text) {
    await changeTrust(this, flags, ({ repository, presentKey, newKey }) => {
      const [leaves, joins] = [presentKey(old), newKey(text)]
      const changes = custodianChanges(repository, leaves, joins.publicKey, threshold)
      return { title: `${joins.name} becomes a custodian`, changes }
    })
  },
})

export const trustRenewCommand = buildCommand<ChangeFlags & { readonly days: number }, string[], CliContext>({
  docs: {
    brief: 'Sign files again that would expire; without names, all that are due',
    fullDescription:
      'Nothing in them changes. A file that has expired lets nothing in; what is installed stays installed.',
  },
  parameters: {
    positional: {
      kind: 'array',
      parameter: { placeholder: 'role', brief: 'Role such as root, targets, company or company.till', parse: String },
    },
    flags: {
      ...changeFlags,
      days: { kind: 'parsed', parse: Number, default: '60', brief: 'Due is what ends within so many days' },
    },
  },
  async func({ days, ...flags }, ...roles) {
    await changeTrust(this, flags, ({ repository }) => {
      const due = roles.length > 0 ? roles : dueWithin(repository, days, Temporal.Now.instant())
      return { title: `Renew ${due.join(', ') || 'nothing'}`, changes: ok(renewChanges(due)) }
    })
  },
})

function parseLine(text: string): string {
  if (!isCode(text)) throw new Error('is not the code of a product line')
  return text
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new Error('is not a number of keys')
  return Number(text)
}
