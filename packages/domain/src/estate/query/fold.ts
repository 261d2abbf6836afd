/** Text as comparisons see it: composed and without upper case. */
export function fold(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

/** PostgreSQL stores neither NUL nor half a surrogate pair; both become U+FFFD. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u{FFFD}')
}
