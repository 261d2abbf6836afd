declare module 'virtual:api-routes' {
  import type { AnyContractRouter } from '@orpc/contract'

  /** Paths and methods of the contract without its schemas, made by the build. */
  export const routes: AnyContractRouter
}
