import { assert, ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'

/**
 * A key on paper: the 32 bytes of its seed as four lines of four groups, and at the end of each line a group that checks
 * it. So somebody who types it in again hears which line is wrong, and two exchanged lines are noticed too.
 */
const lineCount = 4
const lineBytes = 8

/** The four lines to print or to write by hand. */
export function paperLines(seed: Uint8Array): string[] {
  assert(seed.length === lineCount * lineBytes, 'a seed has 32 bytes')
  const hex = Buffer.from(seed).toString('hex')
  return Array.from({ length: lineCount }, (_, line) => {
    const own = hex.slice(line * lineBytes * 2, (line + 1) * lineBytes * 2)
    return `${line + 1}: ${groupsOf(own)} - ${checkOf(line, own)}`
  })
}

/** Reads what a person typed: case, spaces, dashes and the numbers of the lines do not matter. */
export function seedFromPaper(text: string): Result<Uint8Array, string> {
  const lines = linesOf(text)
  if (lines.length !== lineCount) return refuse(`A paper key has ${lineCount} lines; here are ${lines.length}.`)
  let hex = ''
  for (const [line, typed] of lines.entries()) {
    const clean = hexOf(typed)
    if (clean.length !== lineBytes * 2 + 4) {
      return refuse(`Line ${line + 1} has ${clean.length} of ${lineBytes * 2 + 4} characters.`)
    }
    const own = clean.slice(0, lineBytes * 2)
    if (clean.slice(lineBytes * 2) !== checkOf(line, own)) {
      return refuse(`Line ${line + 1} is not as it was printed. Compare it character by character.`)
    }
    hex += own
  }
  return ok(Buffer.from(hex, 'hex'))
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => hexOf(line).length > 0)
}

/** Hex has neither o nor l nor i, so whoever reads one from paper meant a digit. */
function hexOf(line: string): string {
  return line
    .replace(/^\s*[1-4]\s*:/, '')
    .toLowerCase()
    .replaceAll('o', '0')
    .replaceAll(/[il]/g, '1')
    .replaceAll(/[^0-9a-f]/g, '')
}

function groupsOf(hex: string): string {
  return (hex.match(/.{4}/g) ?? []).join(' ')
}

function checkOf(line: number, hex: string): string {
  return sha256Hex(`bascule-paper-key-v1 ${line} ${hex}`).slice(0, 4)
}
