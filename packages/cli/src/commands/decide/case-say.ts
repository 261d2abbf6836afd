import { expiryText } from '@bascule/trust/envelope.ts'
import { signStatement, type StatementSigned } from '@bascule/trust/statement.ts'
import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { agreed, consentFlag, type ConsentFlags } from '#/lib/signing/consent.ts'
import { keyFlags, oneKeyMeant, unlockKeys, type KeyFlags } from '#/lib/signing/key-choice.ts'
import { type Member, withMember } from '#/lib/signing/with-member.ts'
import { caseParameter, reasonFlag } from './case-parameter.ts'

interface SayFlags extends ServerFlags, KeyFlags, ConsentFlags {
  readonly reason: string
}

interface DeferFlags extends SayFlags {
  readonly until: string
}

const flags = { ...serverFlags, ...keyFlags, ...consentFlag, ...reasonFlag } as const

export const caseNoGoCommand = buildCommand<SayFlags, [string], CliContext>({
  docs: { brief: 'Say no to a case: a statement under your key, kept as evidence' },
  parameters: { positional: caseParameter, flags },
  async func(given, caseId) {
    await withMember(this, given, async (member) => {
      await say(member, given, caseId, { kind: 'no-go' })
    })
  },
})

export const caseDeferCommand = buildCommand<DeferFlags, [string], CliContext>({
  docs: { brief: 'Say "not before that day" to a case, under your key' },
  parameters: {
    positional: caseParameter,
    flags: { ...flags, until: { kind: 'parsed', parse: parseDay, brief: 'Day such as 2026-12-24' } },
  },
  async func(given, caseId) {
    await withMember(this, given, async (member) => {
      await say(member, given, caseId, { kind: 'defer', untilOn: given.until })
    })
  },
})

type What = { readonly kind: 'no-go' } | { readonly kind: 'defer'; readonly untilOn: string }

async function say(member: Member, given: SayFlags, caseId: string, what: What): Promise<void> {
  const { client, context, home } = member
  const key = oneKeyMeant(context, home, given)
  if (key === undefined) return
  const { releaseId, manifestSha256, title } = await client.decide.case.get({ caseId })
  const word = what.kind === 'no-go' ? 'No-go' : `Not before ${what.untilOn}`
  context.process.stderr.write(`${word} to ${caseId}, ${releaseId} ${title}: ${given.reason}\n`)
  if (!(await agreed(context, given, 'Sign this statement?'))) return
  const [pair] = (await unlockKeys(context, given, [key])) ?? []
  if (pair === undefined) return
  const signed: StatementSigned = {
    _type: 'bascule-statement',
    specVersion: 1,
    by: pair.keyId,
    at: expiryText(Temporal.Now.instant()),
    release: releaseId,
    manifestSha256: manifestSha256 === '' ? null : manifestSha256,
    reason: given.reason,
    case: caseId,
    ...what,
  }
  const after = await client.decide.case.say({ caseId, statement: signStatement(signed, pair) })
  printResult(context, given.json, after, [`${word}. ${caseId} is ${after.state}.`])
}

function parseDay(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) throw new Error('is not a day such as 2026-12-24')
  return Temporal.PlainDate.from(text).toString()
}
