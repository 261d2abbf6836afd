import { test as base } from '@playwright/test'

interface Guards {
  /** Addresses outside this machine that the page asked for; the test fails when there is one. */
  foreignRequests: string[]
}

const ownHosts = new Set(['localhost', '127.0.0.1', '[::1]', 'sign.localhost'])

/** Every journey runs with this `test`: a request to any foreign host is stopped, recorded and fails the journey. */
export const test = base.extend<Guards>({
  foreignRequests: [
    async ({ context }, use) => {
      const foreign: string[] = []
      await context.route(
        (url) => url.protocol.startsWith('http') && !ownHosts.has(url.hostname),
        (route) => {
          foreign.push(route.request().url())
          return route.abort()
        },
      )
      await use(foreign)
      if (foreign.length > 0) throw new Error(`The page asked foreign hosts: ${foreign.join(', ')}`)
    },
    { auto: true },
  ],
})

export { expect } from '@playwright/test'
