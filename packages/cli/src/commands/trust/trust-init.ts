import { randomBytes } from 'node:crypto'
import { emptyRepository } from '@bascule/trust/tuf/repository-state.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { keyIdOf, keyPairFromSeed, type KeyPair } from '@bascule/trust/keys.ts'
import { isCode } from '@bascule/trust/tuf/names.ts'
import { buildCommand } from '@stricli/core'
import { failWith, printResult, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { consentFlag, type ConsentFlags } from '#/lib/signing/consent.ts'
import { ceremonyChanges, type CeremonyPlan } from '#/lib/signing/governance.ts'
import { keyFlags, keysMeant, type KeyFlags } from '#/lib/signing/key-choice.ts'
import { type KnownKeys, knownKeysOf, namedKeyFrom, type NamedKey } from '#/lib/signing/named-key.ts'
import { paperLines } from '#/lib/signing/paper-key.ts'
import { proposeChange, type Proposed } from '#/lib/signing/propose-change.ts'
import { outcomeWords, untilPublished } from '#/lib/signing/publication.ts'
import { isComplete } from '#/lib/signing/review-documents.ts'
import { ownViewOf, progressWords } from '#/lib/signing/review-draft-of-server.ts'
import { type Member, Refused, withMember } from '#/lib/signing/with-member.ts'
import { registrationProof } from '#/commands/key/key-register.ts'
import { ceremonySheet, paperSheet } from './ceremony-sheet.ts'

interface InitFlags extends ServerFlags, KeyFlags, ConsentFlags {
  readonly board: string
  readonly line?: readonly string[]
  readonly custodian?: readonly string[]
  readonly threshold?: number
  readonly member?: readonly string[]
  readonly quorum?: number
  readonly emergencyQuorum?: number
  readonly minLevel?: 1 | 2 | 3
  readonly paper: boolean
}

const words = { kind: 'parsed', parse: String, optional: true, variadic: true } as const
const count = { kind: 'parsed', parse: parseCount, optional: true } as const

export const trustInitCommand = buildCommand<InitFlags, [], CliContext>({
  docs: {
    brief: 'Hold the first ceremony: custodians, a board, and the root that every device is given',
    fullDescription:
      'Alone, without --custodian and --member: your key and a recovery key on paper, either of them is enough, and the board is shown as a board of one. With several: name public keys as "me", as 64 characters or as files, and how many of them have to sign. The others then sign with bascule sign.',
  },
  parameters: {
    flags: {
      ...serverFlags,
      ...keyFlags,
      ...consentFlag,
      board: { kind: 'parsed', parse: parseBoard, default: 'company', brief: 'Code of the board' },
      line: { ...words, brief: 'Product line of the board, may be repeated; without it, all of the server' },
      custodian: { ...words, brief: 'Key of a custodian: me, Name=file or Name=public key; may be repeated' },
      threshold: { ...count, brief: 'How many custodians sign; more than half of them when not said' },
      member: { ...words, brief: 'Key of a board member, in the same forms; the custodians when not said' },
      quorum: { ...count, brief: 'How many members decide; more than half of them when not said' },
      emergencyQuorum: { ...count, brief: 'How many decide an emergency; two, or the quorum when that is one' },
      minLevel: {
        kind: 'parsed',
        parse: parseLevel,
        optional: true,
        brief: 'Least way of keeping a key that the board takes: 1 browser, 2 passkey, 3 this tool',
      },
      paper: { kind: 'boolean', default: false, brief: 'Add a recovery key on paper to both; always done when alone' },
    },
  },
  async func(flags) {
    await withMember(this, flags, async (member) => await hold(member, flags))
  },
})

interface Attendance {
  readonly custodians: readonly NamedKey[]
  readonly members: readonly NamedKey[]
  readonly paper: { readonly seed: Uint8Array; readonly pair: KeyPair } | undefined
}

async function hold(member: Member, flags: InitFlags): Promise<void> {
  const { client, context, server } = member
  const authority = await client.decide.authority.get()
  if (authority.isSetUp)
    throw new Refused('authority-is-new', 'This server has its root already. See bascule trust status.')
  const known = await knownKeysOf(member)
  const attendance = attendanceOf(member, flags, known)
  if (attendance === undefined) return
  const { custodians, members, paper } = attendance
  const plan = planOf(flags, attendance, {
    lines: flags.line ?? (await linesOf(member)),
    online: {
      snapshot: authority.onlineKeys.snapshot.keyval.public,
      timestamp: authority.onlineKeys.timestamp.keyval.public,
      director: authority.onlineKeys.director.keyval.public,
    },
  })
  const proposed = await proposeChange(member, flags, {
    title: `First ceremony of ${plan.board}`,
    kind: 'ceremony',
    repository: emptyRepository,
    changes: ok(ceremonyChanges(plan)),
    nameOf: nameOf([...custodians, ...members], plan),
    also: paper ? [paper.pair] : [],
  })
  if (proposed === undefined) return
  const rootSha256 = await finish(member, proposed)
  const sheet = ceremonySheet({
    server,
    plan,
    custodians,
    members,
    at: Temporal.Now.instant(),
    rootSha256: rootSha256.value,
  })
  const paperKey = paper && paperLines(paper.seed)
  const result = { draft: rootSha256.draft, rootSha256: rootSha256.value ?? null, sheet, paperKey: paperKey ?? null }
  printResult(context, flags.json, result, [
    ...sheet,
    ...(paper && paperKey ? ['', ...paperSheet(paperKey, paper.pair.keyId)] : []),
    '',
    ...progressWords({ documents: proposed.documents, nameOf: nameOf([...custodians, ...members], plan) }),
    ...outcomeWords(rootSha256.draft),
  ])
  if (paper) await registerPaper(member, paper.pair)
  const { refusal } = rootSha256.draft
  if (refusal) failWith(context, exitCodes.refused, false, { kind: refusal.rule, problem: refusal.fact })
}

/** So that boards are shown with its name. It is only a name: a server that will not have it changes nothing. */
async function registerPaper({ client, context }: Member, pair: KeyPair): Promise<void> {
  const own = { publicKey: pair.publicKey, level: 3, label: 'Recovery key on paper' }
  try {
    await client.decide.memberKey.register({ ...own, proof: registrationProof(own, pair) })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    context.process.stderr.write(`The server does not show the paper key by its name: ${why}\n`)
  }
}

/** Waits for the publication when nobody else has to sign, and remembers the root as one that needs nobody's word. */
async function finish(member: Member, { draft, documents }: Proposed) {
  const root = documents.find(({ role }) => role === 'root')
  if (root) member.memory.rememberCeremony(root.signed)
  if (!documents.every(isComplete)) return { draft, value: undefined }
  const after = await untilPublished(member, draft)
  const view = after.state === 'published' ? await ownViewOf(member, undefined) : undefined
  return { draft: after, value: view?.anchor.sha256 }
}

function attendanceOf(member: Member, flags: InitFlags, known: KnownKeys): Attendance | undefined {
  const isAlone = flags.custodian === undefined && flags.member === undefined
  const keys = keysMeant(member.home, flags)
  // With several keys "me" would be a guess.
  const mine = keys.length === 1 ? keys[0] : undefined
  const isMeant =
    isAlone || [...(flags.custodian ?? []), ...(flags.member ?? [])].some((text) => /(?:^|=)me$/.test(text))
  if (isMeant && mine === undefined) {
    const problem =
      keys.length === 0
        ? 'You have no key yet. Make one first: bascule key make'
        : 'You have several keys. Say which with --key.'
    failWith(member.context, exitCodes.usage, flags.json, { kind: 'no-key', problem })
    return undefined
  }
  const seed = randomBytes(32)
  const paper = isAlone || flags.paper ? { seed, pair: keyPairFromSeed(seed) } : undefined
  const onPaper: NamedKey[] = paper
    ? [{ publicKey: paper.pair.publicKey, level: 3, name: 'Recovery key on paper' }]
    : []
  const read = (texts: readonly string[]): NamedKey[] => [
    ...texts.map((text) => namedKeyFrom(text, mine, known)),
    ...onPaper,
  ]
  const custodians = read(flags.custodian ?? flags.member ?? ['me'])
  return { custodians, members: read(flags.member ?? flags.custodian ?? ['me']), paper }
}

function planOf(
  flags: InitFlags,
  { custodians, members, paper }: Attendance,
  server: Pick<CeremonyPlan, 'lines' | 'online'>,
): CeremonyPlan {
  // A paper key stands in for one that was lost; it is no further person whose agreement would be asked for.
  const people = (keys: readonly NamedKey[]): number => keys.length - (paper ? 1 : 0)
  const most = (keys: readonly NamedKey[]): number => Math.floor(people(keys) / 2) + 1
  const quorum = flags.quorum ?? most(members)
  const plan = {
    ...server,
    board: flags.board,
    custodians: custodians.map(({ publicKey }) => publicKey),
    threshold: flags.threshold ?? most(custodians),
    members: members.map(({ publicKey, level }) => ({ publicKey, ...(level === undefined ? {} : { level }) })),
    quorum,
    emergencyQuorum: flags.emergencyQuorum ?? Math.min(2, quorum),
    ...(flags.minLevel === undefined ? {} : { minLevel: flags.minLevel }),
  }
  const isReachable = plan.threshold <= custodians.length && Math.max(quorum, plan.emergencyQuorum) <= members.length
  if (!isReachable) throw new Refused('quorum-is-reachable', 'More signatures are asked for than there are keys.')
  return plan
}

async function linesOf({ client }: Member): Promise<string[]> {
  const codes: string[] = []
  let after: string | undefined
  do {
    const page = await client.estate.productLine.list({ limit: 100, ...(after === undefined ? {} : { after }) })
    codes.push(...page.items.filter(({ state }) => state === 'active').map(({ code }) => code))
    after = page.next
  } while (after !== undefined)
  return codes
}

function nameOf(keys: readonly NamedKey[], { online }: Pick<CeremonyPlan, 'online'>): (keyId: string) => string {
  const names = new Map([
    ...keys.map(({ publicKey, name }) => [keyIdOf(publicKey), name] as const),
    ...Object.entries(online).map(([what, key]) => [keyIdOf(key), `the server's ${what} key`] as const),
  ])
  return (keyId) => `${names.get(keyId) ?? 'unknown'} (key ${keyId.slice(0, 12)})`
}

function parseBoard(text: string): string {
  if (!isCode(text)) throw new Error('is not the code of a board: lower-case letters, digits and -')
  return text
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new Error('is not a number of keys')
  return Number(text)
}

function parseLevel(text: string): 1 | 2 | 3 {
  if (text === '1' || text === '2' || text === '3') return Number(text) as 1 | 2 | 3
  throw new Error('is not a level: 1, 2 or 3')
}
