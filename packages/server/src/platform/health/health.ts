/** Throws, with a sentence, when what it looks at does not work. */
export type HealthCheck = () => Promise<void>

export interface HealthReport {
  readonly ready: boolean
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly problem?: string }[]
}

/** What `/readyz` asks. A feature adds what it cannot work without: `health.register('signer', …)`. */
export interface Health {
  register(name: string, check: HealthCheck): void
  /** From now on this server is not ready, so that nothing new is sent to it while it finishes. */
  drain(): void
  report(): Promise<HealthReport>
}

const timeoutMs = 3000

export function createHealth(): Health {
  const checks = new Map<string, HealthCheck>()
  let isDraining = false
  return {
    register(name, check) {
      checks.set(name, check)
    },
    drain() {
      isDraining = true
    },
    async report() {
      const results = await Promise.all([...checks].map(([name, check]) => run(name, check)))
      const all = isDraining
        ? [...results, { name: 'draining', ok: false, problem: 'The server is stopping.' }]
        : results
      return { ready: all.every(({ ok }) => ok), checks: all }
    },
  }
}

async function run(name: string, check: HealthCheck): Promise<HealthReport['checks'][number]> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error(`no answer within ${timeoutMs / 1000} s`))
  }, timeoutMs)
  try {
    await Promise.race([check(), late])
    return { name, ok: true }
  } catch (cause) {
    return { name, ok: false, problem: cause instanceof Error ? cause.message : String(cause) }
  } finally {
    clearTimeout(timer)
  }
}
