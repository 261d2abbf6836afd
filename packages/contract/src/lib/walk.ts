import { isContractProcedure } from '@orpc/contract'
import type { AnyContractProcedure, AnyContractRouter, Route } from '@orpc/contract'
import type { ProcedureMeta } from './procedure.ts'

export interface ProcedureEntry {
  /** `estate.person.list` */
  readonly name: string
  readonly meta: ProcedureMeta
  readonly route: Route
  readonly procedure: AnyContractProcedure
}

/** Every procedure of a contract, in the order in which it is written. */
export function walkProcedures(router: AnyContractRouter, path: readonly string[] = []): ProcedureEntry[] {
  if (isContractProcedure(router)) {
    const { meta, route } = router['~orpc']
    return [{ name: path.join('.'), meta: meta as ProcedureMeta, route, procedure: router }]
  }
  return Object.entries(router).flatMap(([key, below]) => walkProcedures(below as AnyContractRouter, [...path, key]))
}
