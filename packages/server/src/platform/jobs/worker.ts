import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Db } from '#/platform/db/database.ts'
import { newId } from '#/platform/lib/id.ts'
import { claimDue, failRun, finishRun, renewClaims } from './timer.ts'
import type { Claim } from './timer.ts'

export interface ReconcilerRun {
  readonly now: Temporal.Instant
  readonly log: Logger
}

/**
 * Looks at one thing, decides one step and writes it if nothing moved meanwhile. May be called twice, late, or after
 * a crash, and never by two servers at once for the same key. Answers when to look again, if ever without being woken.
 */
export type Reconciler = (
  key: string,
  run: ReconcilerRun,
) => Promise<{ readonly next?: Temporal.Instant | undefined } | void>

export interface WorkerOptions {
  readonly db: Db
  readonly now: () => Temporal.Instant
  readonly log: Logger
  readonly parallel?: number
  readonly pollMs?: number
}

/** Runs what is due. `nudge` when something may have become due just now; otherwise it looks every half second. */
export interface Worker extends AsyncDisposable {
  registerReconciler(kind: string, run: Reconciler): void
  start(): void
  nudge(): void
  /** Runs everything that is due, and what that wakes, until nothing is. For tests and virtual clocks. */
  runDue(): Promise<number>
}

const lease = Temporal.Duration.from({ seconds: 10 })
const renewMs = 3000

export function createWorker({ db, now, log, parallel = 4, pollMs = 500 }: WorkerOptions): Worker {
  const holder = newId<string>()
  const reconcilers = new Map<string, Reconciler>()
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()
  let sleep = new AbortController()
  let loop: Promise<void> | undefined

  /** Begins as many due runs as there is room for. */
  async function begin(): Promise<number> {
    const limit = parallel - running.size
    const kinds = [...reconcilers.keys()]
    if (limit <= 0 || kinds.length === 0) return 0
    const claims = await claimDue(db, { kinds, limit, holder, now: now(), lease })
    for (const claim of claims) {
      const run: Promise<void> = runOne(claim).finally(() => {
        running.delete(run)
        sleep.abort()
      })
      running.add(run)
    }
    return claims.length
  }

  async function runOne(claim: Claim): Promise<void> {
    const runLog = log.child({ reconciler: claim.kind, key: claim.key })
    try {
      const outcome = await reconcilers.get(claim.kind)?.(claim.key, { now: now(), log: runLog })
      await finishRun(db, claim, holder, outcome?.next)
    } catch (cause) {
      const retryAt = now().add({ milliseconds: backoffMs(claim.attempts) })
      runLog.error({ err: cause, retryAt: retryAt.toString() }, 'reconciler failed')
      await giveBack(claim, { retryAt, error: cause instanceof Error ? cause.message : String(cause) })
    }
  }

  /** When even this cannot be written, the claim runs out by itself and the run is tried again then. */
  async function giveBack(claim: Claim, failure: { retryAt: Temporal.Instant; error: string }): Promise<void> {
    try {
      await failRun(db, claim, holder, failure)
    } catch (cause) {
      log.warn({ err: cause, reconciler: claim.kind, key: claim.key }, 'failed run cannot be given back')
    }
  }

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      sleep = new AbortController()
      try {
        if ((await begin()) > 0) continue
      } catch (cause) {
        log.warn({ err: cause }, 'timers cannot be read; trying again')
      }
      const woken = AbortSignal.any([sleep.signal, stopping.signal])
      // An aborted pause is how `nudge` and the end of the server come through.
      await pause(pollMs, undefined, { signal: woken }).catch(() => undefined)
    }
    await Promise.all(running)
  }

  const renewing = setInterval(() => {
    if (running.size === 0) return
    renewClaims(db, holder, now().add(lease)).catch((cause: unknown) => {
      log.warn({ err: cause }, 'claims on timers cannot be renewed')
    })
  }, renewMs)
  renewing.unref()

  return {
    registerReconciler(kind, run) {
      if (reconcilers.has(kind)) throw new Error(`Two features reconcile ${kind}; only one can`)
      reconcilers.set(kind, run)
    },
    start() {
      loop ??= work()
    },
    nudge() {
      sleep.abort()
    },
    async runDue() {
      let ran = 0
      for (;;) {
        const begun = await begin()
        ran += begun
        if (begun === 0 && running.size === 0) return ran
        await Promise.all(running)
      }
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await loop
      clearInterval(renewing)
    },
  }
}

/** 1 s, 2 s, 4 s … 5 minutes. A reconciler is never given up: the world may come back. */
export function backoffMs(failuresBefore: number): number {
  return Math.min(1000 * 2 ** Math.min(failuresBefore, 20), 300_000)
}
