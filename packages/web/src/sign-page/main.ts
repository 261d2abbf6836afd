import '#/ui/fonts.css'
import '#/ui/tokens.css'
import './sign-page.css'
import { paragraph, show } from './screens.ts'

/** What the browser lacks for signing, in one sentence; undefined when it has everything. */
function whatIsMissing(): string | undefined {
  if (!isSecureContext)
    return 'This page came over plain http, and browsers then give no page a key. Open it over https.'
  if (!('Temporal' in globalThis)) return 'This browser is too old to sign here: it has no Temporal. Update it.'
  return undefined
}

/** A failure of ours, or of the network; nothing has been signed when it is seen. */
function showFailure(error: unknown): void {
  const what = error instanceof Error ? error.message : String(error)
  show('This did not work', paragraph(`${what}. Nothing was signed. Close this window and try again.`))
}

const missing = whatIsMissing()
if (missing === undefined) {
  addEventListener('unhandledrejection', ({ reason }) => showFailure(reason))
  // The library reads dates while it loads, so it comes only where the browser knows them.
  const { runPage } = await import('./page.ts')
  await runPage()
} else {
  show('Signing does not work here', paragraph(missing), paragraph('The bascule command line signs on every machine.'))
}
