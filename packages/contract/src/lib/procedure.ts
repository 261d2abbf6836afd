import type { Permission } from '@bascule/domain/estate/permission.ts'
import { oc } from '@orpc/contract'
import { commonErrors } from './errors.ts'

export interface ProcedureMeta extends Record<string, unknown> {
  /** What a caller needs to have somewhere to get past the door; the service narrows it to the place. */
  permission?: Permission | 'public'
  /** Largest body in bytes; without it, `defaultBodyBytes`. */
  bodyBytes?: number
}

export const defaultBodyBytes = 1_048_576

/**
 * The beginning of every procedure: `procedure.meta({ permission: 'site.read' }).route({ … }).input(…).output(…)`.
 * A check refuses a procedure without a permission.
 */
export const procedure = oc.$meta<ProcedureMeta>({}).errors(commonErrors)
