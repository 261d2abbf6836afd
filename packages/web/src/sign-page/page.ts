import type { Refusal } from '@bascule/domain/lib/result.ts'
import { beginKey, finishKey, type MadePasskey } from './answer-make-key.ts'
import { type ReadyToSign, review, signReviewed } from './answer-sign.ts'
import type { Answer } from './answers.ts'
import { button, element } from './elements.ts'
import { fetchMainOrigins, listenTo, type Opener } from './opener.ts'
import type { RequestOf } from './requests.ts'
import { acts, anchorPart, paragraph, refusalPart, reviewPart, show } from './screens.ts'

/** From the first picture to the one answer. */
export async function runPage(): Promise<void> {
  const opener = window.opener as Window | null
  if (opener === null) {
    show(
      'Nothing to sign',
      paragraph('The release board’s page opens this one when you sign or make a key. It does nothing by itself.'),
    )
    return
  }
  show('Waiting for the application', paragraph('It says in a moment what is to be signed.'))
  const listening = listenTo(opener, await fetchMainOrigins())
  const request = await listening.request
  const session = sessionWith(listening)
  if (request.type === 'make-key') showMaking(session, request)
  else await startSigning(session, request)
}

/** What a person can do at any time, and the one answer that leaves. */
interface Session {
  /** Sends the answer and closes the window, for what needs no more reading. */
  finish(answer: Answer): void
  /** Sends a refusal and leaves it on the page. */
  refuse(title: string, refusal: Refusal): void
}

function sessionWith(opener: Opener): Session {
  let isAnswered = false
  const answer = (said: Answer) => {
    if (!isAnswered) opener.answer(said)
    isAnswered = true
  }
  addEventListener('pagehide', () => answer({ type: 'cancelled' }))
  return {
    finish: (said) => {
      answer(said)
      show('Done', paragraph('You can close this window.'))
      window.close()
    },
    refuse: (title, refusal) => {
      answer({ type: 'refused', refusal })
      show(title, refusalPart(refusal), acts(button('Close', 'quiet', () => window.close())))
    },
  }
}

async function startSigning(session: Session, request: RequestOf<'sign'> | RequestOf<'say'>): Promise<void> {
  show('Checking', paragraph('This page reads the files of the boards by itself and compares.'))
  const ready = await review(request)
  if (ready.ok) showReview(session, request, ready.value)
  else session.refuse('Do not sign this', ready.error)
}

function showReview(
  session: Session,
  request: RequestOf<'sign'> | RequestOf<'say'>,
  ready: ReadyToSign,
  failed?: Refusal,
): void {
  const sign = button('Sign with passkey', 'primary', async () => {
    const signed = await signReviewed(request, ready)
    if (signed.ok) session.finish(signed.value)
    // The person may take another try: a refused touch is no decision.
    else if (signed.error.rule === 'passkey-answered') showReview(session, request, ready, signed.error)
    else session.refuse('Not signed', signed.error)
  })
  show(
    'What your signature means',
    reviewPart(ready.reviewed, request.caseTitle),
    ...(ready.anchor ? [anchorPart(ready.anchor)] : []),
    paragraph(
      'Key ',
      element('b', {}, request.key.label),
      ' ',
      element('span', { class: 'mono dim' }, ready.keyId.slice(0, 12)),
    ),
    ...(failed ? [refusalPart(failed)] : []),
    acts(sign, cancelButton(session)),
  )
}

function showMaking(session: Session, request: RequestOf<'make-key'>, failed?: Refusal): void {
  const make = button('Make passkey', 'primary', async () => {
    const made = await beginKey(request)
    if (!made.ok) afterFailure(session, made.error, () => showMaking(session, request, made.error))
    else if (made.value.secret === undefined) showFinishing(session, request, made.value)
    else await finish(session, request, made.value)
  })
  show(
    'Make a signing key',
    paragraph('For ', element('b', {}, request.personName), ', named ', element('b', {}, request.label), '.'),
    paragraph(
      'Your passkey will unlock it, with a touch for every signature. The key is made here and leaves this page only in a form that is worth nothing without the passkey.',
    ),
    ...(failed ? [refusalPart(failed)] : []),
    acts(make, cancelButton(session)),
  )
}

function showFinishing(session: Session, request: RequestOf<'make-key'>, made: MadePasskey, failed?: Refusal): void {
  show(
    'Use it once',
    paragraph('The passkey is made. This authenticator gives its secret only when it is used, so touch it once more.'),
    ...(failed ? [refusalPart(failed)] : []),
    acts(
      button('Unlock with passkey', 'primary', async () => await finish(session, request, made)),
      cancelButton(session),
    ),
  )
}

async function finish(session: Session, request: RequestOf<'make-key'>, made: MadePasskey): Promise<void> {
  const key = await finishKey(request, made)
  if (key.ok) session.finish(key.value)
  else afterFailure(session, key.error, () => showFinishing(session, request, made, key.error))
}

/** A touch that did not come is asked for again; everything else ends the request. */
function afterFailure(session: Session, refusal: Refusal, again: () => void): void {
  if (refusal.rule === 'passkey-answered') again()
  else session.refuse('No key was made', refusal)
}

function cancelButton(session: Session): HTMLButtonElement {
  return button('Cancel', 'quiet', () => session.finish({ type: 'cancelled' }))
}
