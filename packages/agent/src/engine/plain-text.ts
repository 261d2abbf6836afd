import { stripVTControlCharacters } from 'node:util'

/**
 * What others wrote (programs, disks, servers), as one line that may stand in a signed report, in a log and on a
 * terminal: whole characters, no control characters, at most `max` long. Half a character has no canonical JSON, so
 * one that slipped through could not be signed, and a report that is too long would be refused each time it comes.
 */
export function plainText(text: string, max: number): string {
  const line = stripVTControlCharacters(text.toWellFormed())
    .replaceAll(/\s*[\t-\r\u2028\u2029]\s*/g, ' ')
    .replaceAll(/\p{Cc}/gu, '\u{FFFD}')
  return line.length <= max ? line : `${wholeStart(line, max - 1)}…`
}

/** At most so many code units from the start, never with half a character at the end. */
function wholeStart(text: string, length: number): string {
  const cut = text.slice(0, length)
  return cut.isWellFormed() ? cut : cut.slice(0, -1)
}
