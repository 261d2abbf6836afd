/** Text as comparisons see it: composed and without upper case. */
export function fold(text: string): string {
  return text.normalize('NFC').toLowerCase()
}
