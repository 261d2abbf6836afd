import type { Refusal } from '@bascule/domain/lib/result.ts'
import { element } from './elements.ts'
import type { OwnView } from './own-view.ts'
import type { Reviewed } from './review.ts'

/** What stands on the page. Every picture replaces the one before and takes the focus, so that it is read out. */
export function show(title: string, ...children: readonly (Node | string)[]): void {
  const heading = element('h1', { tabindex: '-1' }, title)
  const main = element('main', {}, heading, ...children)
  document.getElementById('page')?.replaceChildren(header(), main)
  document.title = `${title} · Bascule`
  heading.focus()
}

export function paragraph(...children: readonly (Node | string)[]): HTMLElement {
  return element('p', {}, ...children)
}

export function acts(...buttons: readonly HTMLElement[]): HTMLElement {
  return element('div', { class: 'acts' }, ...buttons)
}

/** A refusal in its four parts: what was found, who can lift it, what to do. */
export function refusalPart({ rule, fact, lifter, next }: Refusal): HTMLElement {
  return element(
    'section',
    { class: 'refusal', role: 'alert' },
    element('p', { class: 'fact' }, fact),
    element('p', {}, next),
    element('p', { class: 'dim' }, `Can be lifted by: ${lifter}. `, element('span', { class: 'mono' }, rule)),
  )
}

/** What a signature would mean, in the words of this page, and how the application calls it. */
export function reviewPart(reviewed: readonly Reviewed[], caseTitle: string): HTMLElement {
  const parts = reviewed.map(({ role, words }) =>
    element(
      'section',
      { class: 'card', 'aria-label': `What your signature means for ${role}` },
      element('h2', { class: 'mono' }, role),
      element('ul', {}, ...words.map((sentence) => element('li', {}, sentence))),
    ),
  )
  const claim = element('p', { class: 'dim' }, 'The application calls it: ', element('q', {}, caseTitle))
  return element('div', {}, ...parts, claim)
}

/** From where everything was verified, so that two members can compare it. */
export function anchorPart({ sha256, since, isNew }: OwnView['anchor']): HTMLElement {
  const told = isNew
    ? 'This page sees these boards for the first time and remembers this root from now on. Compare it with the ceremony sheet:'
    : `Verified from the root that this page has known since ${since.slice(0, 10)}:`
  return element('section', { class: 'anchor' }, element('p', {}, told), element('code', {}, inGroups(sha256)))
}

function inGroups(hex: string): string {
  return (hex.match(/.{1,8}/g) ?? []).join(' ')
}

function header(): HTMLElement {
  const mark = element('img', { src: '/mark.svg', alt: '', width: '22', height: '22' })
  const name = element('span', { class: 'name' }, 'Bascule')
  return element('header', {}, mark, name, element('span', { class: 'mono dim' }, location.host))
}
