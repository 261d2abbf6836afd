import type { Refusal } from '@bascule/domain/lib/result.ts'
import * as z from 'zod'

/** A refusal on the wire. It has the same four parts as in the domain; see `Refusal` there. */
export const RefusalView = z.object({
  rule: z.string(),
  fact: z.string(),
  lifter: z.string(),
  next: z.string(),
}) satisfies z.ZodType<Refusal>

/** One thing wrong with an input: where (`phases.2.percent`, in a file also the line) and what. */
export const InputProblem = z.object({ line: z.int().optional(), field: z.string(), problem: z.string() })
export type InputProblem = z.infer<typeof InputProblem>

/**
 * The errors every procedure may answer with. Nothing of a request that gets one of these was stored.
 * BAD_INPUT names the first problem at the top and carries all of them in `problems`.
 */
export const commonErrors = {
  BAD_INPUT: { status: 400, data: InputProblem.extend({ problems: z.array(InputProblem) }) },
  SIGN_IN_NEEDED: { status: 401 },
  FORBIDDEN: { status: 403, data: z.object({ permission: z.string() }) },
  NOT_FOUND: { status: 404, data: z.object({ what: z.string() }) },
  REFUSED: { status: 409, data: RefusalView },
  TOO_LARGE: { status: 413, data: z.object({ limitBytes: z.int() }) },
} as const
