type Child = Node | string

/** An element with its attributes and children. Text is always text: nothing that anybody sends becomes markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

/**
 * A button that only a person can press: a click that a script makes is not heard. While the action runs it is off, so
 * that one press is one act.
 */
export function button(text: string, kind: 'primary' | 'quiet', action: () => unknown): HTMLButtonElement {
  const made = element('button', { type: 'button', class: kind }, text)
  made.addEventListener('click', (event) => {
    if (!event.isTrusted) return
    made.disabled = true
    void Promise.resolve(action()).finally(() => {
      made.disabled = false
    })
  })
  return made
}
