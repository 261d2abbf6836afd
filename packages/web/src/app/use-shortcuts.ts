import { useEffect, useRef } from 'react'
import { useLocalStorage } from '@mantine/hooks'

const sequenceMs = 1200

export interface Shortcut {
  /** "g r", "?", "/": keys of one letter, in sequence. */
  keys: string
  words: string
  run: () => void
}

/** Whether single keys act at all; a person who dictates or has a tremor can switch them off. */
export function useSingleKeys() {
  return useLocalStorage({ key: 'bascule.single-keys', defaultValue: true, getInitialValueInEffect: false })
}

/** Runs shortcuts of single keys, except while typing or when a dialog is open. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const [areOn] = useSingleKeys()
  const latest = useRef(shortcuts)
  useEffect(() => {
    latest.current = shortcuts
  })
  useEffect(() => {
    if (!areOn) return undefined
    let before = ''
    let beforeAtMs = 0
    function onKey(event: KeyboardEvent) {
      if (isTyping(event)) return
      const sequence = event.timeStamp - beforeAtMs < sequenceMs && before !== '' ? `${before} ${event.key}` : event.key
      const found = latest.current.find((shortcut) => shortcut.keys === sequence)
      before = found === undefined ? event.key : ''
      beforeAtMs = event.timeStamp
      if (found === undefined) return
      event.preventDefault()
      found.run()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [areOn])
}

function isTyping(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true
  const { target } = event
  if (!(target instanceof HTMLElement)) return false
  if (document.querySelector('[role="dialog"]') !== null) return true
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)
}
