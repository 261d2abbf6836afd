import { countOf } from './format.ts'
import { stateLook } from './states.ts'

export interface FactWords {
  actor: { kind: string; name: string }
  /** `rollout.paused` or plain words. */
  did: string
  subject: { kind: string; id: string }
  before: unknown
  after: unknown
}

/** "Ines Marek paused the rollout: printers stop." A kind of act that this table does not know is said in its own words. */
export function factSentence(fact: FactWords): string {
  const [kind = '', act = ''] = splitAct(fact.did)
  if (kind === 'phase') return phaseSentence(fact, act)
  if (kind === 'job') return jobSentence(fact, act)
  if (kind === 'rollout') return rolloutSentence(fact, act)
  if (kind === 'case') return caseSentence(fact, act)
  const verb = verbs[fact.did] ?? `${plain(act === '' ? kind : act)} ${act === '' ? '' : plain(kind)}`.trim()
  return sentence(`${fact.actor.name} ${verb}`, nameOf(fact), reasonOf(fact))
}

const verbs: Readonly<Record<string, string>> = {
  'device.enrolled': 'enrolled with a token',
  'device.approved': 'approved device',
  'person.link-used': 'signed in with a one-time link',
  'person.link-made': 'made a sign-in link',
  'person.password-set': 'set a password',
  'role.granted': 'gave a role:',
  'role.revoked': 'took a role back:',
  'release.planned': 'planned release',
  'release.authorised': 'let it out: every signature that is needed is there',
  'release.changed': 'changed the plan of',
  'release.cancelled': 'cancelled release',
  'package-version.uploaded': 'uploaded package',
  'package-version.retired': 'retired package',
  'enrolment-token.created': 'made an enrolment token:',
  'enrolment-token.revoked': 'revoked an enrolment token:',
  'api-key.created': 'made API key',
  'api-key.revoked': 'revoked API key',
  'product-line.created': 'added product line',
  'org-unit.created': 'added org unit',
  'person.created': 'added',
  'site.created': 'added site',
  'service.created': 'added service',
  'absence.created': 'recorded an absence',
  'baseline.taken': 'took baseline',
  'member-key.registered': 'registered a key to sign with:',
  'member-key.retired': 'retired a key',
  'draft.proposed': 'proposed to sign:',
  'draft.signed': 'signed:',
  'draft.published': 'published',
  'draft.withdrawn': 'withdrew a draft',
  'authority.published': 'published signed files',
}

const phaseActs: Readonly<Record<string, string>> = {
  preparing: 'prepares to open',
  open: 'opened',
  soaking: 'soaks',
  evaluating: 'is judged',
  succeeded: 'is complete',
  held: 'is held',
  failed: 'has stopped',
  paused: 'is paused',
  'not-enough-evidence': 'waits for more evidence',
  'backing-out': 'is going back',
  'backed-out': 'went back',
  skipped: 'was skipped',
  'joined-late': 'was joined late',
  'limits-changed': 'has new limits',
}

function phaseSentence({ subject, actor, after }: FactWords, act: string): string {
  // What a person does to a phase is written about its rollout; what the phase does itself, about the phase.
  const order = numberIn(after, 'phase') ?? subject.id.split('/').at(-1) ?? ''
  const name = textIn(after, 'name')
  const who = actor.kind === 'system' ? '' : ` by ${actor.name}`
  const because = textIn(after, 'because') ?? textIn(after, 'reason')
  return sentence(
    `Phase ${order}${name === undefined ? '' : ` ${name}`} ${phaseActs[act] ?? plain(act)}${who}`,
    undefined,
    because,
  )
}

function jobSentence({ actor, after }: FactWords, act: string): string {
  const what = stateLook('job', act).word.toLowerCase()
  const told = textIn(after, 'sentence')
  const who = textIn(after, 'device') ?? actor.name
  return sentence(`${who}: ${what}`, undefined, act === 'succeeded' ? undefined : told)
}

const rolloutActs: Readonly<Record<string, string>> = {
  paused: 'paused the rollout',
  resumed: 'let the rollout go on',
  running: 'let the rollout go on',
  'pause-explained': 'said why the rollout is paused',
  'back-out-asked': 'asked for a back-out',
  'residual-accepted': 'completed the rollout with devices left over',
}

function rolloutSentence(fact: FactWords, act: string): string {
  const devices = numberIn(fact.after, 'audience')
  if (act === 'started') {
    return `${fact.actor.name} started the rollout${devices === undefined ? '' : ` to ${countOf(devices, 'device')}`}`
  }
  if (fact.actor.kind === 'system') {
    return sentence(`Rollout: ${stateLook('rollout', act).word.toLowerCase()}`, undefined, reasonOf(fact))
  }
  return sentence(`${fact.actor.name} ${rolloutActs[act] ?? `${plain(act)} the rollout`}`, undefined, reasonOf(fact))
}

const caseActs: Readonly<Record<string, string>> = {
  signed: 'signed for',
  'no-go-said': 'said no-go to',
  'deferral-said': 'asked to defer',
  withdrawn: 'took back',
  reopened: 'opened again',
}

function caseSentence(fact: FactWords, act: string): string {
  const { actor, subject, after } = fact
  const board = textIn(after, 'board')
  if (act === 'opened') {
    return sentence(
      `${actor.name} asked the board${board === undefined ? '' : ` ${board}`}`,
      subject.id,
      reasonOf(fact),
    )
  }
  if (act === 'decided') return `${subject.id}: ${stateLook('case', textIn(after, 'state') ?? '').word}`
  return sentence(`${actor.name} ${caseActs[act] ?? plain(act)}`, subject.id, reasonOf(fact))
}

/** What a fact is about, as people call it. */
export function nameOf({ before, after, subject }: FactWords): string | undefined {
  if (subject.kind === 'role-grant') return textIn(after, 'role') ?? textIn(before, 'role')
  const name = firstText(after, before, ['name', 'title', 'label', 'personName'])
  const version = textIn(after, 'version') ?? textIn(before, 'version')
  return name === undefined || version === undefined ? name : `${name} ${version}`
}

function reasonOf({ after }: FactWords): string | undefined {
  return textIn(after, 'reason') ?? textIn(after, 'because')
}

function sentence(start: string, name: string | undefined, reason: string | undefined): string {
  const words = name === undefined ? start : `${start} ${name}`
  return reason === undefined ? words : `${words}. ${reason}`
}

function splitAct(did: string): string[] {
  const at = did.indexOf('.')
  return at === -1 ? [did] : [did.slice(0, at), did.slice(at + 1)]
}

function plain(words: string): string {
  return words.replaceAll(/[.\-_]+/g, ' ').trim()
}

function firstText(after: unknown, before: unknown, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const text = textIn(after, key) ?? textIn(before, key)
    if (text !== undefined) return text
  }
  return undefined
}

function textIn(value: unknown, key: string): string | undefined {
  const found = fieldIn(value, key)
  return typeof found === 'string' && found !== '' ? found : undefined
}

function numberIn(value: unknown, key: string): number | undefined {
  const found = fieldIn(value, key)
  return typeof found === 'number' ? found : undefined
}

function fieldIn(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
