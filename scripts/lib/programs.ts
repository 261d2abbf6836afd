import type { GuardedChild } from './guarded-child.ts'

/** The programs of one installation, so that all of them stop in order whenever it is told, also half way through a start. */
export interface Programs {
  add(program: GuardedChild): void
  /** Resolves with a sentence when a program ended that should run on. */
  readonly broken: Promise<string>
  /** Stops the devices first, then the server with its database: nothing reports to a server that is gone. */
  stop(): Promise<void>
}

/** The first program added is the server. */
export function createPrograms(): Programs {
  const running: GuardedChild[] = []
  const { promise: broken, resolve: breakDown } = Promise.withResolvers<string>()
  let isStopping = false
  const watch = async (program: GuardedChild) => {
    const code = await program.ended
    if (!isStopping) breakDown(`${program.name} ended by itself (exit code ${code})`)
  }
  return {
    broken,
    add(program) {
      running.push(program)
      void watch(program)
      if (isStopping) void program.stop()
    },
    async stop() {
      isStopping = true
      await Promise.all(running.slice(1).map((program) => program.stop()))
      await running[0]?.stop()
    },
  }
}
