const words = ['delivered', 'authorised by the board', 'present', 'every file intact', 'works'] as const

/** "level 4, works": how sure a device must be before it counts as verified. */
export function levelWords(level: number): string {
  return `level ${level}, ${words[level] ?? 'as the package says'}`
}
