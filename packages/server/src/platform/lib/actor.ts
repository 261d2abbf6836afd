import type { Permission } from '@bascule/domain/estate/permission.ts'
import { isAllowed } from '@bascule/domain/estate/role.ts'
import type { Grant, Place } from '@bascule/domain/estate/role.ts'
import { ok, refuse } from '@bascule/domain/lib/result.ts'
import type { Result } from '@bascule/domain/lib/result.ts'
import type { Denied } from './answer.ts'

/** Who a fact is told of. The name is kept as it was at the time. */
export interface ActorName {
  readonly kind: 'person' | 'machine' | 'device' | 'system'
  readonly id: string
  readonly name: string
}

/** Who is calling and what they may do. Services take it as an argument and never look it up. */
export interface Actor extends ActorName {
  readonly grants: readonly Grant[]
  /** The session with which a person came. A machine has none. */
  readonly sessionId?: string
}

/** The server itself, when a reconciler does something that nobody asked for just now. */
export const system: ActorName = { kind: 'system', id: 'server', name: 'Bascule' }

/** Whether the actor may do this at this place; the route has only checked that there is some such place. */
export function allow(actor: Actor, permission: Permission, place: Place): Result<true, Denied> {
  return isAllowed(actor.grants, permission, place) ? ok(true) : refuse({ kind: 'forbidden', permission })
}
