import { failWith, type CliContext } from '#/lib/context.ts'
import { exitCodes } from '#/lib/exit-code.ts'
import type { ServerFlags } from '#/lib/server-flags.ts'
import { targetOf } from '#/lib/target.ts'
import { type ApiClient, withTarget } from '#/lib/with-server.ts'
import { type MemberHome, openMemberHome, type ServerMemory } from './member-home.ts'

/** A person with a home of their own, signed in to one server. */
export interface Member {
  readonly context: CliContext
  readonly client: ApiClient
  readonly server: string
  readonly home: MemberHome
  readonly memory: ServerMemory
}

/** A no of the tool itself, said by the rule. Whatever throws it has sent nothing. */
export class Refused extends Error {
  readonly rule: string
  constructor(rule: string, fact: string) {
    super(fact)
    this.rule = rule
  }
}

/** Does the work as the person who signed in; a refusal is exit code 4 with its rule. */
export async function withMember(
  context: CliContext,
  flags: ServerFlags,
  work: (member: Member) => Promise<void>,
): Promise<void> {
  const target = targetOf(context, flags, 'person-first')
  if (target === undefined) return
  const home = openMemberHome(context.process.env)
  const memory = home.serverMemory(target.server)
  await withTarget(context, flags, target, async (client) => {
    try {
      await work({ context, client, server: target.server, home, memory })
    } catch (cause) {
      if (!(cause instanceof Refused)) throw cause
      failWith(context, exitCodes.refused, flags.json, { kind: cause.rule, problem: cause.message })
    }
  })
}
