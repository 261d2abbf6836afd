import type { BrowserContext, CDPSession, Page } from '@playwright/test'

/** An authenticator that the browser makes up: it belongs to one window and forgets everything with it. */
export interface Authenticator {
  /** How often the passkeys of this window were used. */
  uses(): Promise<number>
}

/** Gives a window a passkey authenticator that is touched at once; without `hasSecrets` one that has no PRF extension. */
export async function giveAuthenticator(page: Page, { hasSecrets = true } = {}): Promise<Authenticator> {
  const session: CDPSession = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      hasPrf: hasSecrets,
      automaticPresenceSimulation: true,
    },
  })
  return {
    async uses() {
      const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId })
      return credentials.reduce((sum, { signCount }) => sum + signCount, 0)
    },
  }
}

/** The signing page closes itself when it is done, and its authenticator would go with it. */
export async function keepSigningWindow(context: BrowserContext): Promise<void> {
  await context.addInitScript("if (location.hostname === 'sign.localhost') globalThis.close = () => {}")
}
