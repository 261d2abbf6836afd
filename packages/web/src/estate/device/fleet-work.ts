import type { FleetWork } from './device-source.ts'

/** The groups of work, as people read them. */
export const workWords: Record<FleetWork, string> = {
  verified: 'Verified',
  installing: 'Installing',
  downloading: 'Downloading',
  offered: 'Offered',
  blocked: 'Blocked',
  failed: 'Failed',
  'backed-out': 'Backed out',
  'left-out': 'Left out',
  'not-started': 'Not started',
}

export function isFleetWork(word: unknown): word is FleetWork {
  return typeof word === 'string' && word in workWords
}

/** "Refuses: THRESHOLD". */
export function refusalWords(code: string): string {
  return code === 'any' ? 'Refuses' : `Refuses: ${code}`
}
