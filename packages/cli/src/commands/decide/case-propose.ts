import { buildCommand } from '@stricli/core'
import { printResult, type CliContext } from '#/lib/context.ts'
import { parseRelease, releaseParameter, serverFlags, type ServerFlags } from '#/lib/server-flags.ts'
import { agreed } from '#/lib/signing/consent.ts'
import { asView } from '#/lib/signing/publication.ts'
import { type Member, withMember } from '#/lib/signing/with-member.ts'
import { reasonFlag } from './case-parameter.ts'
import { signDraft, type SignFlags, signFlags } from './sign.ts'

interface ReasonFlags extends ServerFlags {
  readonly reason: string
}

interface BackOutFlags extends ReasonFlags {
  readonly from: string
}

type Proposal = Parameters<Member['client']['decide']['case']['propose']>[0]

/** A stop is worth nothing tomorrow, so it is proposed and signed in one go: one signature of any member is enough. */
export const caseStopCommand = buildCommand<SignFlags & { readonly reason: string }, [string], CliContext>({
  docs: {
    brief: 'Stop a release for all devices at once; proposes and signs it',
    fullDescription:
      'Devices that see it install the release no more. It removes nothing. Lifting it is another decision.',
  },
  parameters: { positional: releaseParameter, flags: { ...signFlags, ...reasonFlag } },
  async func({ reason, ...flags }, releaseId) {
    await withMember(this, flags, async (member) => {
      if (!(await agreed(this, flags, `Stop ${releaseId} for all devices, because: ${reason}?`))) return
      const { caseId } = await member.client.decide.case.propose({ releaseId, kind: 'stop', reason })
      const { draft } = await member.client.decide.case.get({ caseId })
      const isReady = draft !== null && draft.state === 'signing'
      if (isReady) await signDraft(member, { ...flags, yes: true }, asView(draft), releaseId)
      else
        printResult(this, flags.json, { caseId }, [
          `${caseId} waits for the draft before it. Then: bascule sign ${caseId}`,
        ])
    })
  },
})

export const caseLiftStopCommand = proposing('lift-stop', 'Ask to take a release off the stop list')
export const caseRatifyCommand = proposing('ratify', 'Ask the full board to take an emergency release over')
export const caseOpenPhasesCommand = proposing('open-phases', 'Ask for the next phases of a release')

export const caseBackOutFromCommand = buildCommand<BackOutFlags, [string], CliContext>({
  docs: { brief: 'Ask that devices may go back to a release from a newer one' },
  parameters: {
    positional: releaseParameter,
    flags: {
      ...serverFlags,
      ...reasonFlag,
      from: { kind: 'parsed', parse: parseRelease, brief: 'The newer release that may be left' },
    },
  },
  async func({ reason, from, ...flags }, releaseId) {
    await withMember(this, flags, async (member) => {
      await propose(member, flags, { releaseId, kind: 'back-out-from', from, reason })
    })
  },
})

/** Of a case it takes the question back; of a release it asks the board to take it off the list. */
export const caseWithdrawCommand = buildCommand<ReasonFlags, [string], CliContext>({
  docs: {
    brief: 'Take a question back (CASE-0001), or ask the board to withdraw a release (REL-0001)',
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Case or release', placeholder: 'what', parse: parseCaseOrRelease }],
    },
    flags: { ...serverFlags, ...reasonFlag },
  },
  async func({ reason, ...flags }, what) {
    await withMember(this, flags, async (member) => {
      if (!what.startsWith('CASE-')) {
        await propose(member, flags, { releaseId: what, kind: 'withdraw', reason })
        return
      }
      const after = await member.client.decide.case.withdraw({ caseId: what, reason })
      printResult(this, flags.json, after, [`${what} is taken back; the plan of ${after.releaseId} may change again.`])
    })
  },
})

function proposing(kind: Proposal['kind'], brief: string) {
  return buildCommand<ReasonFlags, [string], CliContext>({
    docs: { brief },
    parameters: { positional: releaseParameter, flags: { ...serverFlags, ...reasonFlag } },
    async func({ reason, ...flags }, releaseId) {
      await withMember(this, flags, async (member) => {
        await propose(member, flags, { releaseId, kind, reason })
      })
    },
  })
}

async function propose({ client, context }: Member, flags: ServerFlags, proposal: Proposal): Promise<void> {
  const asked = await client.decide.case.propose(proposal)
  printResult(context, flags.json, asked, [`${asked.caseId} is open. Members sign with: bascule sign ${asked.caseId}`])
}

function parseCaseOrRelease(text: string): string {
  if (!/^(?:CASE|REL)-\d{4,9}$/.test(text)) throw new Error('is neither a case nor a release')
  return text
}
