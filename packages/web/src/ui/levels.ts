const words = ['delivered', 'authorised by the board', 'present', 'every file intact', 'works'] as const

/** "level 4, works": how sure a device must be before it counts as verified. */
export function levelWords(level: number): string {
  return `level ${level}, ${words[level] ?? 'as the package says'}`
}

export interface KeyLevelWords {
  /** "L2". */
  short: string
  name: string
  /** What a stolen server can do with a key that is kept so, in one sentence. */
  honestly: string
}

const keyLevels: Readonly<Record<number, KeyLevelWords>> = {
  1: {
    short: 'L1',
    name: 'browser key',
    honestly: 'A stolen server could sign with it once you open the page.',
  },
  2: {
    short: 'L2',
    name: 'passkey',
    honestly: 'A stolen server cannot sign with it, unless the machine of the signing page falls too.',
  },
  3: {
    short: 'L3',
    name: 'signing tool',
    honestly: 'A stolen server cannot sign with it: the tool checks every draft by itself.',
  },
}

const unsaid: KeyLevelWords = {
  short: 'L?',
  name: 'unsaid',
  honestly: 'The board has not signed how its keys are kept, so take them for L1.',
}

/** How a key is kept, in the one wording of the product. */
export function keyLevelWords(level: number | null): KeyLevelWords {
  return (level === null ? undefined : keyLevels[level]) ?? unsaid
}
