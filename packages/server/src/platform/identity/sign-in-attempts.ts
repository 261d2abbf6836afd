/** So many wrong passwords for one account are a person who has forgotten it, or somebody who guesses. */
const attemptsMax = 10
const windowMs = 15 * 60_000
/** Who tries more names than this at once is held by the limit per address. */
const accountsRemembered = 10_000

/** Counts wrong passwords per account, wherever they come from, so that many addresses do not help to guess one. */
export interface SignInAttempts {
  /** How many milliseconds nobody is let try this account; 0 for an account that may be tried. */
  blockedMs(email: string): number
  /** Counts a try before its password is looked at, so that many at once are as many. */
  begin(email: string): void
  /** Takes a try back in which no password was found wrong. */
  takeBack(email: string): void
  succeeded(email: string): void
}

/** Accounts that do not exist are counted alike, so that the answer does not tell which do. A link still opens a blocked one. */
export function createSignInAttempts(nowMs: () => number): SignInAttempts {
  const accounts = new Map<string, { failures: number; readonly endsMs: number }>()

  function known(email: string) {
    const found = accounts.get(keyOf(email))
    return found !== undefined && found.endsMs > nowMs() ? found : undefined
  }

  return {
    blockedMs(email) {
      const found = known(email)
      return found !== undefined && found.failures >= attemptsMax ? found.endsMs - nowMs() : 0
    },
    begin(email) {
      const found = known(email)
      if (found !== undefined) {
        found.failures += 1
        return
      }
      accounts.delete(keyOf(email))
      const [oldest] = accounts.keys()
      if (accounts.size >= accountsRemembered && oldest !== undefined) accounts.delete(oldest)
      accounts.set(keyOf(email), { failures: 1, endsMs: nowMs() + windowMs })
    },
    takeBack(email) {
      const found = known(email)
      if (found !== undefined && found.failures > 0) found.failures -= 1
    },
    succeeded: (email) => void accounts.delete(keyOf(email)),
  }
}

function keyOf(email: string): string {
  return email.trim().toLowerCase().slice(0, 320)
}
