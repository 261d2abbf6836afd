let made = 0

/** A key for a row of a form. Random ids are missing where a page comes over plain http from afar. */
export function newKey(): string {
  made += 1
  return `new-${made}`
}
