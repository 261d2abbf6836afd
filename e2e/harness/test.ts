import { join } from 'node:path'
import { test as base } from '@playwright/test'
import { startBascule } from './bascule.ts'
import type { Bascule } from './bascule.ts'

interface Guards {
  /** Addresses outside this machine that the page asked for; the test fails when there is one. */
  foreignRequests: string[]
  /** Errors that the page wrote to the console or threw. */
  pageErrors: string[]
}

interface Given {
  /** A real installation on a fresh data folder. */
  bascule: Bascule
}

interface Options {
  /** A journey that takes the server away makes the browser complain; only such a journey sets this. */
  mayLoseServer: boolean
}

const ownHosts = new Set(['localhost', '127.0.0.1', '[::1]', 'sign.localhost'])
const lostServer =
  /net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE|NETWORK_CHANGED)|responded with a status of 503/

/** "Not signed in" and a refusal are answers that the page shows in words; that the browser notes them cannot be helped. */
const refused = /responded with a status of (?:401|409)/

/** That there is no newer root is an answer too: whoever verifies the boards asks until there is none. */
const nextRoot = /\/tuf\/\d+\.root\.json$/

/** Every journey runs with this `test`: a request to a foreign host is stopped, and it or an error of the page fails the journey. */
export const test = base.extend<Guards & Given & Options>({
  mayLoseServer: [false, { option: true }],
  bascule: [
    async ({ context }, use, testInfo) => {
      await using bascule = await startBascule()
      await use(bascule)
      if (testInfo.status === testInfo.expectedStatus) {
        // An open page would ask the server while it stops, and complain.
        await Promise.all(context.pages().map((page) => page.close()))
        return
      }
      await testInfo.attach('server.log', { path: join(bascule.dataFolder, 'log', 'server.log') })
    },
    { timeout: 120_000 },
  ],
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
  pageErrors: [
    async ({ context, mayLoseServer }, use) => {
      const errors: string[] = []
      context.on('weberror', (error) => errors.push(error.error().message))
      context.on('console', (message) => {
        if (message.type() !== 'error') return
        if (refused.test(message.text()) || nextRoot.test(message.location().url)) return
        if (mayLoseServer && lostServer.test(message.text())) return
        errors.push(`${message.text()} (${message.location().url}, on ${message.page()?.url() ?? 'a closed page'})`)
      })
      await use(errors)
      if (errors.length > 0) throw new Error(`The page reported errors:\n${errors.join('\n')}`)
    },
    { auto: true },
  ],
})

export { expect } from '@playwright/test'
